"""Lesions: how each kind of focal liver lesion looks in every contrast phase, and where it lies.

Looks are ours, drawn from the features that define each kind: arterial enhancement, washout and capsule of HCC as in
LI-RADS v2018 (American College of Radiology); nodules at the edge that fill the lesion for hemangioma; water for
cysts; a bright rim round a dark centre for metastases; slow filling for cholangiocarcinoma; a scar that fills late for
focal nodular hyperplasia; a rim round pus, sometimes gas, for abscesses; fat for angioleiomyolipoma.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hepatica.cohort.phantom import Lesion
from hepatica.radiology.phantom.enhancement import ATTENUATION, Curve, Tissue, later
from hepatica.radiology.phantom.noise import smooth_noise
from hepatica.radiology.phantom.shapes import Grid, Millimetres

FIRST_LABEL = 2
"""The label of a patient's first lesion in a truth mask; 1 is liver, 0 everything else."""

_GAS_HU = -600.0
_MOTTLE_MM = 3.125  # grain of what is uneven inside a lesion, ours


@dataclass(frozen=True, kw_only=True)
class Look:
    """Hounsfield units by phase of a lesion's body, of its rim and of its core.

    `rim_share`, `core_share`: of the radius, 0 for none. `nodular`: the rim is broken into nodules. `mottle`: standard
    deviation inside the body in Hounsfield units; `lobulation`: how far the outline leaves the sphere, of the radius.
    `fluid`: keeps its attenuation whatever the difficulty.
    """

    body: Curve
    rim: Curve = (0, 0, 0, 0)
    core: Curve = (0, 0, 0, 0)
    rim_share: float = 0
    core_share: float = 0
    nodular: bool = False
    mottle: float = 4
    lobulation: float = 0.08
    fluid: bool = False


_HCC = Look(
    body=(48, 122, 90, 74), rim=(50, 95, 122, 118), rim_share=0.08, mottle=8, lobulation=0.1,
)  # fmt: skip

LOOKS: Mapping[str, Look] = {
    "hcc": _HCC,
    "cholangiocarcinoma": Look(
        body=(42, 60, 82, 112), rim=(45, 108, 100, 96), rim_share=0.15, lobulation=0.2
    ),
    "metastasis": Look(
        body=(42, 58, 70, 70), rim=(48, 104, 102, 84), core=(32, 34, 40, 42), rim_share=0.18, core_share=0.4,
    ),
    "sarcoma": Look(
        body=(40, 72, 84, 92), core=(22, 25, 28, 30), core_share=0.5, mottle=18, lobulation=0.2
    ),
    "hemangioma": Look(
        body=(40, 44, 62, 118), rim=(41, 190, 160, 122), rim_share=0.4, nodular=True, mottle=2,
    ),
    "focal nodular hyperplasia": Look(
        body=(54, 140, 116, 99), core=(44, 58, 88, 124), core_share=0.3, lobulation=0.14
    ),
    "angioleiomyolipoma": Look(body=(-20, 85, 45, 25), mottle=28),
    "adenoma": Look(body=(50, 112, 108, 92), mottle=12, lobulation=0.05),
    "abscess": Look(
        body=(16, 17, 18, 19), rim=(46, 92, 122, 114), rim_share=0.22, lobulation=0.2
    ),
    "cyst": Look(body=(7, 7, 7, 7), mottle=0, lobulation=0.04, fluid=True),
    "neuroendocrine": Look(
        body=(45, 138, 104, 88), rim=(48, 150, 112, 90), rim_share=0.15
    ),
}  # fmt: skip
"""Every kind of Table 1 of Wang 2021 but the normal liver."""

ATYPICAL_HCC = replace(_HCC, body=(46, 68, 88, 78), rim_share=0)
"""HCC without arterial enhancement or capsule."""


def look_of(lesion: Lesion) -> Look:
    """What it looks like where difficulty takes nothing away."""
    return ATYPICAL_HCC if lesion.atypical else LOOKS[lesion.kind]


def place(rng: np.random.Generator, lesions: Sequence[Lesion], *, depth: np.ndarray, grid: Grid) -> list[Millimetres]:
    """A centre for each lesion, deep enough in the liver and as far as can be from the ones before.

    `depth` (z, y, x): millimetres below the liver's surface, minus infinity where no lesion may begin.
    """
    centres: list[Millimetres] = []
    for lesion in lesions:
        wanted = min(0.8 * lesion.radius, 0.75 * depth.max())
        candidates = np.argwhere(depth >= wanted)
        z, y, x = candidates[rng.integers(len(candidates), size=40)].T
        points = np.stack([grid.x.ravel()[x], grid.y.ravel()[y], grid.z.ravel()[z]], axis=1)
        gaps = [
            np.linalg.norm(points - there, axis=1) - before.radius - lesion.radius
            for there, before in zip(centres, lesions, strict=False)
        ]
        room = np.minimum(np.min(gaps, axis=0), 6) if gaps else np.zeros(len(points))
        best = points[int(np.argmax(room))]
        centres.append((float(best[0]), float(best[1]), float(best[2])))
    return centres


def paint(
    rng: np.random.Generator,
    attenuation: np.ndarray,
    mask: np.ndarray,
    lesion: Lesion,
    *,
    label: int,
    centre: Millimetres,
    liver: np.ndarray,
    grid: Grid,
    effect: float,
    late: float,
) -> None:
    """Draw one lesion into `attenuation` (phase, z, y, x) and its label into `mask` (z, y, x), both in place.

    It keeps to the `liver` (z, y, x) bool. `effect` and `late` are those of `appear`.
    """
    where, cover, inside = appear(rng, lesion, centre=centre, grid=grid, effect=effect, late=late)
    cover = cover * liver[where]
    region = attenuation[:, *where]
    region += cover * (inside - region)
    mask[where][cover >= 0.5] = label


def appear(
    rng: np.random.Generator, lesion: Lesion, *, centre: Millimetres, grid: Grid, effect: float, late: float
) -> tuple[tuple[slice, slice, slice], np.ndarray, np.ndarray]:
    """The voxels around one lesion (slices of z, y, x), how much of each it fills, 0 to 1, and what it is made of.

    The last is (phase, z, y, x) Hounsfield units, as if the lesion filled its box. `effect`: how much of its contrast
    to the liver is left, 0 to 1; `late`: how far each phase is on the way to the next one.
    """
    where = grid.box(centre, 1.5 * lesion.radius + grid.thickness)
    share, lumps = _share(rng, lesion, centre, where, grid)
    cover = np.clip(share * lesion.radius / grid.pixel + 0.5, 0, 1)
    inside = _inside(rng, lesion, share, lumps, grid=grid, effect=effect, late=late)
    if lesion.gas:
        top = grid.y[:, where[1]] < centre[1] - 0.45 * lesion.radius
        inside = np.where(top & (share > look_of(lesion).rim_share + 0.05), np.float32(_GAS_HU), inside)
    return where, cover, inside


def _share(
    rng: np.random.Generator, lesion: Lesion, centre: Millimetres, where: tuple[slice, slice, slice], grid: Grid
) -> tuple[np.ndarray, np.ndarray]:
    """Depth below the surface as a share of the radius, 1 at the centre; and a field that has lumps round the edge."""
    x, y, z = grid.x[..., where[2]] - centre[0], grid.y[:, where[1]] - centre[1], grid.z[where[0]] - centre[2]
    stretch = np.exp(rng.normal(0, 0.08, 3))
    stretch /= np.cbrt(stretch.prod())
    outward = np.sqrt((x / stretch[0]) ** 2 + (y / stretch[1]) ** 2 + (z / stretch[2]) ** 2) / lesion.radius
    lumps = smooth_noise(rng, shape=outward.shape, grain=grid.grain(0.7 * lesion.radius))
    return 1 - outward + look_of(lesion).lobulation * lumps, lumps


def _inside(
    rng: np.random.Generator,
    lesion: Lesion,
    share: np.ndarray,
    lumps: np.ndarray,
    *,
    grid: Grid,
    effect: float,
    late: float,
) -> np.ndarray:
    """(phase, z, y, x) Hounsfield units, as if the lesion filled its box."""
    look = look_of(lesion)
    kept = 1.0 if look.fluid else effect
    body, rim, core = (_shown(curve, kept=kept, late=late) for curve in (look.body, look.rim, look.core))
    mottle = look.mottle * smooth_noise(rng, shape=share.shape, grain=grid.grain(_MOTTLE_MM))
    at_rim = (share < look.rim_share).astype(np.float32)
    if look.nodular:
        at_rim *= lumps > 0
    at_core = np.clip((look.core_share - (1 - share)) * 8 + 0.5, 0, 1) if look.core_share else np.zeros_like(share)
    field = body + mottle
    field = field + at_rim * (rim - body)
    return np.asarray(field + at_core * (core - field), dtype=np.float32)


def _shown(curve: Curve, *, kept: float, late: float) -> np.ndarray:
    """(phase, 1, 1, 1) Hounsfield units once difficulty has taken contrast away."""
    liver = np.array(later(ATTENUATION[Tissue.LIVER], share=late), dtype=np.float32)
    shown = liver + kept * (np.array(later(curve, share=late), dtype=np.float32) - liver)
    return np.asarray(shown[:, np.newaxis, np.newaxis, np.newaxis])
