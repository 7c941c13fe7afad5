"""Lesions: how each kind of focal liver lesion looks in every contrast phase, and where it lies.

Looks are ours, drawn from the features that define each kind: arterial enhancement, washout and capsule of HCC as in
LI-RADS v2018 (American College of Radiology); nodules at the edge that fill the lesion for hemangioma; water for
cysts; a bright rim round a dark centre for metastases; slow filling for cholangiocarcinoma; a scar that fills late for
focal nodular hyperplasia; a rim round pus, sometimes gas, for abscesses; fat for angioleiomyolipoma.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from hepatica.cohort.phantom import Lesion
from hepatica.radiology.phantom.enhancement import ATTENUATION, Curve, Tissue, later
from hepatica.radiology.phantom.scanner import smooth_noise
from hepatica.radiology.phantom.shapes import Grid, Millimetres

FIRST_LABEL = 2
"""The label of a patient's first lesion in a truth mask; 1 is liver, 0 everything else."""

_MOTTLE_MM = 3.125  # grain of what is uneven inside a lesion, ours
_IRREGULAR = 0.2  # of the radius, further from the sphere where an HCC infiltrates the liver; ours
_HALO_SHARE = 0.35  # of the radius, round such a lesion, where the liver is hyperaemic; ours


@dataclass(frozen=True, kw_only=True)
class Look:
    """The values of a lesion's body, of its rim and of its core in each picture: of CT, Hounsfield units by phase.

    `rim_share`, `core_share`: of the radius, 0 for none. `nodular`: the rim is broken into nodules. `mottle`: standard
    deviation inside the body; `lobulation`: how far the outline leaves the sphere, of the radius.
    `fluid`: keeps its values whatever the difficulty.
    """

    body: Curve
    rim: Curve = (0,)
    core: Curve = (0,)
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
    "dysplastic nodule": Look(body=(50, 66, 100, 90), mottle=5),
}  # fmt: skip
"""Every kind of Table 1 of Wang 2021 but the normal liver, and dysplastic nodules, which hardly differ from it."""

TREATED = "treated"
"""The kind of what embolisation leaves of an HCC."""

TREATED_LOOK = Look(body=(75, 76, 76, 76), core=(260, 260, 260, 260), core_share=0.45, mottle=30)
"""Dead tissue that takes up no contrast, dense where iodised oil stays in it."""


@dataclass(frozen=True, kw_only=True)
class Palette:
    """How an instrument shows lesions: a look a kind, and of HCC without arterial enhancement or capsule.

    `liver`: its values in the same pictures, of which the first `dynamic` follow one injection; `arterial` and
    `washing` are those that show hyperenhancement and washout. `halo` is added to the liver around an HCC that
    infiltrates it, `invaded` to the HCC itself. `gas`: the value of gas.
    """

    looks: Mapping[str, Look]
    atypical: Look
    liver: Curve
    dynamic: int = 4
    arterial: int = 1
    washing: tuple[int, ...] = (2, 3)
    halo: Curve
    invaded: Curve = (0,)
    gas: float

    def look(self, lesion: Lesion) -> Look:
        """What the lesion looks like where difficulty takes nothing away."""
        look = self.atypical if lesion.atypical else self.looks[lesion.kind]
        body = list(look.body)
        if lesion.features is not None:
            hcc = self.looks["hcc"]
            body[self.arterial] = (hcc.body if lesion.features.hyperenhancing else self.liver)[self.arterial]
            for picture in self.washing:
                body[picture] = (hcc.body if lesion.features.washout else self.liver)[picture]
            look = replace(look, rim=hcc.rim, rim_share=hcc.rim_share * lesion.features.capsule)
        level = self.liver[self.arterial]
        body[self.arterial] = level + lesion.vascularity * (body[self.arterial] - level)
        invaded = np.array(body) + lesion.infiltration * np.array(self.invaded)
        return replace(
            look,
            body=tuple(invaded.tolist()),
            rim_share=look.rim_share * (1 - lesion.infiltration),
            lobulation=look.lobulation + _IRREGULAR * lesion.infiltration,
        )


@cache
def ct_palette(*, late: float = 0) -> Palette:
    """Of CT; `late`: how far each phase is on the way to the next one."""

    def shifted(look: Look) -> Look:
        body, rim, core = (later(each, share=late) for each in (look.body, look.rim, look.core))
        return replace(look, body=body, rim=rim, core=core)

    return Palette(
        looks={name: shifted(look) for name, look in {**LOOKS, TREATED: TREATED_LOOK}.items()},
        atypical=shifted(replace(_HCC, body=(46, 68, 88, 78), rim_share=0)),
        liver=later(ATTENUATION[Tissue.LIVER], share=late),
        halo=(0, 40, 0, 0),
        gas=-600,
    )


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


def embolised(lesion: Lesion, centre: Millimetres, *, viable: float) -> list[tuple[Lesion, Millimetres]]:
    """An HCC after embolisation: what is dead, and at its side what is not, `viable` of the diameter before."""
    dead = replace(lesion, kind=TREATED, diameter_cm=max(1.0, viable) * lesion.diameter_cm)
    if not viable:
        return [(dead, centre)]
    aside = (max(1.0, viable) - viable) * lesion.radius
    return [
        (dead, centre),
        (replace(lesion, diameter_cm=viable * lesion.diameter_cm), (centre[0] + aside, *centre[1:])),
    ]


def paint(
    rng: np.random.Generator,
    pictures: np.ndarray,
    mask: np.ndarray,
    lesion: Lesion,
    *,
    label: int,
    centre: Millimetres,
    liver: np.ndarray,
    grid: Grid,
    effect: float,
    palette: Palette,
) -> None:
    """Draw one lesion into `pictures` (picture, z, y, x) and its label into `mask` (z, y, x), both in place.

    It keeps to the `liver` (z, y, x) bool. `effect` and `palette` are those of `appear`.
    """
    seen = appear(rng, lesion, centre=centre, grid=grid, effect=effect, palette=palette)
    cover = seen.cover * liver[seen.where]
    region = pictures[:, *seen.where]
    if lesion.infiltration:
        strength = effect * lesion.infiltration * seen.around * liver[seen.where]
        region += strength * np.array(palette.halo, dtype=np.float32)[:, np.newaxis, np.newaxis, np.newaxis]
    region += cover * (seen.inside - region)
    mask[seen.where][cover >= 0.5] = label


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """The voxels around one lesion, as slices: how much of each it fills, and how near it is, 0 to 1 (z, y, x);
    and (picture, z, y, x) the values as if the lesion filled its box.
    """

    where: tuple[slice, slice, slice]
    cover: np.ndarray
    around: np.ndarray
    inside: np.ndarray


def appear(
    rng: np.random.Generator, lesion: Lesion, *, centre: Millimetres, grid: Grid, effect: float, palette: Palette
) -> Seen:
    """One lesion in every picture of the palette; `effect`: how much of its contrast to the liver is left, 0 to 1."""
    where, look = grid.box(centre, 1.5 * lesion.radius + grid.thickness), palette.look(lesion)
    share, lumps = _share(rng, lesion, centre, where, grid, lobulation=look.lobulation)
    inside = _inside(rng, look, share, lumps, grid=grid, effect=effect, palette=palette)
    if lesion.gas:
        top = grid.y[:, where[1]] < centre[1] - 0.45 * lesion.radius
        inside = np.where(top & (share > look.rim_share + 0.05), np.float32(palette.gas), inside)
    return Seen(
        where=where,
        cover=np.clip(share * lesion.radius / grid.pixel + 0.5, 0, 1),
        around=np.clip(1 + share / _HALO_SHARE, 0, 1),
        inside=inside,
    )


def _share(
    rng: np.random.Generator,
    lesion: Lesion,
    centre: Millimetres,
    where: tuple[slice, slice, slice],
    grid: Grid,
    *,
    lobulation: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Depth below the surface as a share of the radius, 1 at the centre; and a field that has lumps round the edge."""
    x, y, z = grid.x[..., where[2]] - centre[0], grid.y[:, where[1]] - centre[1], grid.z[where[0]] - centre[2]
    stretch = np.exp(rng.normal(0, 0.08, 3))
    stretch /= np.cbrt(stretch.prod())
    outward = np.sqrt((x / stretch[0]) ** 2 + (y / stretch[1]) ** 2 + (z / stretch[2]) ** 2) / lesion.radius
    lumps = smooth_noise(rng, shape=outward.shape, grain=grid.grain(0.7 * lesion.radius))
    return 1 - outward + lobulation * lumps, lumps


def _inside(
    rng: np.random.Generator,
    look: Look,
    share: np.ndarray,
    lumps: np.ndarray,
    *,
    grid: Grid,
    effect: float,
    palette: Palette,
) -> np.ndarray:
    """(picture, z, y, x) values, as if the lesion filled its box."""
    kept = 1.0 if look.fluid else effect
    body, rim, core = (_shown(curve, kept=kept, liver=palette.liver) for curve in (look.body, look.rim, look.core))
    mottle = look.mottle * smooth_noise(rng, shape=share.shape, grain=grid.grain(_MOTTLE_MM))
    at_rim = (share < look.rim_share).astype(np.float32)
    if look.nodular:
        at_rim *= lumps > 0
    at_core = np.clip((look.core_share - (1 - share)) * 8 + 0.5, 0, 1) if look.core_share else np.zeros_like(share)
    field = body + mottle
    field = field + at_rim * (rim - body)
    return np.asarray(field + at_core * (core - field), dtype=np.float32)


def _shown(curve: Curve, *, kept: float, liver: Curve) -> np.ndarray:
    """(picture, 1, 1, 1) values once difficulty has taken contrast away."""
    level = np.array(liver, dtype=np.float32)
    shown = level + kept * (np.array(curve, dtype=np.float32) - level)
    return np.asarray(shown[:, np.newaxis, np.newaxis, np.newaxis])
