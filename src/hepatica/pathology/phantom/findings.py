"""Findings: what a section of a phantom patient shows beyond how aggressive the tumour is, where the population varies.

Each mark of a diagnosis is shown more or less plainly: by the share of a tumour that has it, which overlaps between
those with the diagnosis and those without (a probit of a normal variable whose means lie `mark_distance` standard
deviations apart). No reader of the marks alone can do better than the area under the curve that this distance
gives: 0.90 at difficulty 0.5. Glands in stroma mark cholangiocarcinoma; dilated pseudoglands a mutation of CTNNB1;
giant dark nuclei one of TP53 (Calderaro et al., doi 10.1016/j.jhep.2017.05.014). How strongly is ours.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy.special import ndtr

from hepatica.cohort.phantom import Patient, Population
from hepatica.cohort.phantom.lesion import CCA, NORMAL
from hepatica.pathology.phantom.layout import Layout, PhantomSettings, ramp, smooth_noise

_GLAND, _EPITHELIUM = 38.0, 13.0  # micrometres: grain of glands, thickness of what lines them
_TERRITORY = 170.0  # micrometres: grain of areas that look alike
_NECROTIC_SHARE = 0.35  # of tumours that have necrosis


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Shares 0 to 1 of the tumour: `glandular`, `pseudoglandular`, `giant` (of the most giant nuclei), `necrotic`;
    `tumour` is 0 where the section has missed it, or there is none.
    """

    tumour: float = 1.0
    glandular: float = 0.0
    pseudoglandular: float = 0.0
    giant: float = 0.0
    necrotic: float = 0.0

    @property
    def recorded(self) -> Mapping[str, float]:
        """For truth.csv."""
        return {f"section_{name}": round(share, 3) for name, share in asdict(self).items()}


PLAIN = Findings()
"""Of populations that do not vary."""


def findings(patient: Patient, *, population: Population, difficulty: float, settings: PhantomSettings) -> Findings:
    """Those of all sections of the patient."""
    if not population.varied:
        return PLAIN
    rng, tumour = patient.stream("findings"), patient.tumour
    distance = settings.mark_distance * (1 - settings.effect_lost_when_hard * difficulty)
    marks = ndtr(distance * (np.array([tumour.kind == CCA, bool(tumour.ctnnb1), bool(tumour.tp53)]) - 0.5)
                 + rng.standard_normal(3))  # fmt: skip
    missed, necrotic, share = rng.random(3)
    seen = tumour.lesions and not (NORMAL in population.cut and missed < settings.missed_when_hard * difficulty)
    return Findings(
        tumour=float(bool(seen)),
        glandular=float(marks[0]) if CCA in population.cut else 0.0,
        pseudoglandular=float(marks[1]),
        giant=float(marks[2]),
        necrotic=float(0.4 * share * (necrotic < _NECROTIC_SHARE)),
    )


def altered(layout: Layout, found: Findings, *, rng: np.random.Generator, pixel: float) -> Layout:
    """The layout with what was found: no tumour, glands in stroma, necrosis."""
    side = len(layout.tissue)
    territory, islands, dead = (
        smooth_noise(rng, side=side, grain=grain / pixel) for grain in (_TERRITORY, _GLAND, _TERRITORY)
    )
    down, right = np.gradient(islands - 0.1)
    inward = (islands - 0.1) / (np.hypot(down, right) / pixel + 1e-3)
    tumour = layout.tumour * np.float32(found.tumour)
    glands = tumour * (ndtr(territory) < found.glandular)
    necrosis = tumour * ramp(ndtr(dead), low=found.necrotic, high=found.necrotic - 0.05) * (found.necrotic > 0)
    vital = 1 - necrosis
    stroma = layout.stroma * (1 - glands) + glands * ramp(inward, low=1, high=-1)
    hollow = glands * ramp(inward, low=_EPITHELIUM, high=_EPITHELIUM + 2)
    return replace(
        layout,
        tumour=tumour,
        edge=layout.edge * np.float32(found.tumour),
        necrosis=necrosis,
        stroma=stroma * (1 - hollow) * vital,
        lumen=np.maximum(layout.lumen, hollow) * vital,
        sinusoid=layout.sinusoid * (1 - glands) * vital,
        fibre=np.where(glands > 0.5, inward, layout.fibre),
    )
