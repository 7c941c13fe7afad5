"""Tumour: the lesions of a phantom patient, how aggressive they are and what a pathologist and a laboratory say.

Among patients without HCC each kind of Table 1 of Wang 2021 (doi 10.1038/s41416-021-01511-w) has a share that grows
with the root of its count in all three cohorts, so that small cohorts hold rare kinds too (ours). The stage is that of
AJCC, 8th edition, as far as size, number and invasion tell it; invasion is that of a major branch of the portal vein.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from hepatica.cohort.phantom.population import Population

HCC, CCA, NORMAL = "hcc", "cholangiocarcinoma", "normal"
"""The kinds of a patient with HCC, with cholangiocarcinoma, and of one without lesion."""

DIFFERENTIATION = ("well", "moderate", "poor")
"""Grade 1, 2, and 3 or 4."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of lesion: how many of Wang 2021 had it, and of five types of lesion the one it is of.

    `median_cm`: usual size of the largest one. `several_share`: of patients who have more than one.
    """

    count: int
    type: str
    median_cm: float = 3
    several_share: float = 0.15


KINDS: Mapping[str, Kind] = {
    CCA: Kind(count=59, type="other malignant", median_cm=5),
    "metastasis": Kind(count=271 + 5 + 205, type="other malignant", median_cm=2.6, several_share=0.75),
    "sarcoma": Kind(count=9, type="other malignant", median_cm=8),
    "hemangioma": Kind(count=1896 + 119 + 49, type="hemangioma", several_share=0.3),
    "focal nodular hyperplasia": Kind(count=23 + 1, type="other benign", median_cm=3.5),
    "angioleiomyolipoma": Kind(count=16, type="other benign", median_cm=4),
    "adenoma": Kind(count=13, type="other benign", median_cm=4.5),
    "abscess": Kind(count=36 + 7 + 3, type="other benign", median_cm=5, several_share=0.3),
    "cyst": Kind(count=1097 + 36 + 16, type="cyst", median_cm=2.5, several_share=0.4),
    "neuroendocrine": Kind(count=24 + 18, type="other malignant", median_cm=2.5, several_share=0.6),
    NORMAL: Kind(count=3421, type=""),
}
"""Every kind but HCC."""

TYPES = (HCC, "other malignant", "other benign", "hemangioma", "cyst")
"""Five types of lesion, as Yasaka 2018 (doi 10.1148/radiol.2017170706) parts them, but that all HCC are one (ours)."""

_MOST_LESIONS = 6
_LOG_SIZE_SD = 0.45
_LOG10_AFP = {True: 1.1, False: 0.35}  # standard deviation with HCC and without


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """One lesion; `atypical` HCC lacks arterial enhancement, `gas` is in an abscess."""

    kind: str
    diameter_cm: float
    atypical: bool = False
    gas: bool = False

    @property
    def radius(self) -> float:
        """Millimetres."""
        return 5 * self.diameter_cm


@dataclass(frozen=True, kw_only=True)
class Tumour:
    """The lesions, the largest first, and what is known of them; None where there is no HCC.

    `aggressiveness` is standard normal; `grade` 1 to 4.
    """

    kind: str
    lesions: tuple[Lesion, ...]
    aggressiveness: float
    afp_ng_ml: float
    mvi: bool | None = None
    vascular_invasion: bool | None = None
    spread: bool | None = None
    grade: int | None = None
    tp53: bool | None = None
    ctnnb1: bool | None = None

    @property
    def hcc(self) -> bool:
        """Whether it is HCC."""
        return self.kind == HCC

    @property
    def differentiation(self) -> str | None:
        """One of DIFFERENTIATION."""
        return None if self.grade is None else DIFFERENTIATION[min(self.grade, 3) - 1]

    @property
    def genomic_cluster(self) -> str | None:
        """C2 with a mutation of CTNNB1, C3 with one of TP53 alone, C1 of an HCC with neither (ours)."""
        return "C2" if self.ctnnb1 else "C3" if self.tp53 else "C1" if self.hcc else None

    @property
    def type(self) -> str | None:
        """One of TYPES; None without lesion."""
        return HCC if self.hcc else KINDS[self.kind].type or None

    @property
    def size_cm(self) -> float | None:
        """Of the largest lesion."""
        return self.lesions[0].diameter_cm if self.lesions else None

    @property
    def bclc(self) -> str | None:
        """0, A or B."""
        if not self.hcc:
            return None
        small = self.lesions[0].diameter_cm <= 2 and not self.vascular_invasion
        return "B" if len(self.lesions) > 1 else "0" if small else "A"

    @property
    def tnm(self) -> str | None:
        """I to IV."""
        if not self.hcc:
            return None
        several = len(self.lesions) > 1
        if self.spread:
            return "IV"
        if self.vascular_invasion or (several and self.lesions[0].diameter_cm > 5):
            return "III"
        return "II" if several else "I"


def draw_tumour(rng: np.random.Generator, *, hcc: bool, difficulty: float, population: Population) -> Tumour:
    """One patient's; difficulty decides how many HCC are atypical and nothing else."""
    aggressiveness = float(rng.standard_normal())
    log_afp = _LOG10_AFP[hcc] * _correlated(rng, aggressiveness, population.afp_correlation if hcc else 0.0)
    usual = np.log10(20) + _LOG10_AFP[True] * ndtri(population.afp_raised_share) if hcc else np.log10(4)
    afp = round(max(float(10 ** (usual + log_afp)), 0.5), 1)
    if not hcc:
        kind = (
            _other_kind(rng, population.control_kinds or tuple(KINDS)) if population.controls_have_lesions else NORMAL
        )
        lesions = _other_lesions(rng, kind, population)
        return Tumour(kind=kind, lesions=lesions, aggressiveness=aggressiveness, afp_ng_ml=afp)
    lesions = _hcc(rng, aggressiveness, difficulty=difficulty, population=population)
    tumour = Tumour(kind=HCC, lesions=lesions, aggressiveness=aggressiveness, afp_ng_ml=afp)
    return _diagnosed(rng, tumour, population)


def _correlated(rng: np.random.Generator, aggressiveness: float, correlation: float) -> float:
    """Standard normal."""
    return float(correlation * aggressiveness + np.sqrt(1 - correlation**2) * rng.standard_normal())


def _other_kind(rng: np.random.Generator, kinds: tuple[str, ...]) -> str:
    weights = np.sqrt([KINDS[name].count for name in kinds])
    return kinds[int(rng.choice(len(weights), p=weights / weights.sum()))]


def _other_lesions(rng: np.random.Generator, name: str, population: Population) -> tuple[Lesion, ...]:
    if name == NORMAL:
        return ()
    kind = KINDS[name]
    several = bool(rng.random() < kind.several_share)
    largest = kind.median_cm * np.exp(_LOG_SIZE_SD * rng.standard_normal())
    sizes = _sizes(rng, largest, several=several, population=population)
    gas = name == "abscess" and bool(rng.random() < population.gas_share)
    return tuple(Lesion(kind=name, diameter_cm=size, gas=gas and not number) for number, size in enumerate(sizes))


def _hcc(
    rng: np.random.Generator, aggressiveness: float, *, difficulty: float, population: Population
) -> tuple[Lesion, ...]:
    log_size = population.size_log_sd * _correlated(rng, aggressiveness, population.size_correlation)
    several = _correlated(rng, aggressiveness, population.several_correlation) > -ndtri(population.several_share)
    atypical = bool(rng.random() < population.atypical_share_when_hard * difficulty)
    sizes = _sizes(rng, np.exp(population.log_size_mean + log_size), several=several, population=population)
    return tuple(Lesion(kind=HCC, diameter_cm=size, atypical=atypical) for size in sizes)


def _sizes(rng: np.random.Generator, largest: float, *, several: bool, population: Population) -> list[float]:
    """Centimetres, the largest first."""
    count = min(2 + int(rng.poisson(1)), _MOST_LESIONS) if several else 1
    largest = min(max(float(largest), population.sizes_cm[0]), population.sizes_cm[1])
    shares = [1.0, *np.sort(rng.uniform(0.25, 0.8, count - 1))[::-1]]
    return [round(max(population.sizes_cm[0], largest * float(share)), 1) for share in shares]


def _diagnosed(rng: np.random.Generator, tumour: Tumour, population: Population) -> Tumour:
    """With what a pathologist finds in an HCC."""

    def tendency(correlation: float) -> float:
        return _correlated(rng, tumour.aggressiveness, correlation)

    times = population.vascular_invasion_when_large if tumour.lesions[0].diameter_cm > 5 else 1.0
    major = population.vascular_invasion_share * times
    invasion, grade = tendency(population.vascular_invasion_correlation), tendency(population.grade_correlation)
    return replace(
        tumour,
        mvi=bool(invasion > -ndtri(max(major, population.mvi_share))),
        vascular_invasion=bool(invasion > -ndtri(major)),
        spread=bool(rng.random() < population.spread_share),
        grade=1 + int((grade > ndtri(np.cumsum(population.grade_shares[:-1]))).sum()),
        tp53=bool(tendency(population.tp53_correlation) > -ndtri(population.tp53_share)),
        ctnnb1=bool(tendency(population.ctnnb1_correlation) > -ndtri(population.ctnnb1_share)),
    )
