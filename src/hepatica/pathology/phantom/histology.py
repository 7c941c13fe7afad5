"""Histology: the haematoxylin and eosin that a phantom core of liver tumour takes up, pixel by pixel.

What changes with aggressiveness is what Li et al. (doi 10.1186/s12916-025-03977-4, Fig. 3) saw: larger nuclei with
visible nucleoli in tumours that recur, the more so at the tumour's edge; small nuclei, glands, cords and many
lymphocytes in those that do not. The sizes of these changes are ours.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, special

from hepatica.cohort.units import Microns
from hepatica.pathology.phantom.findings import PLAIN, Findings, altered
from hepatica.pathology.phantom.layout import Layout, PhantomSettings, draw_layout, enlarge, ramp, smooth_noise
from hepatica.pathology.phantom.nuclei import AGGRESSIVE, HOLE, LYMPHOCYTE, MILD, RED_CELL, SPINDLE, between, stamp

_COARSE = 2  # the layout is drawn at half the resolution, having no finer detail
_LOOKS = 6  # nuclei are drawn in this many looks from mild to aggressive
_NORMAL_NUCLEUS = 6.5  # micrometres, in liver beside the tumour
_CELL = 16.5  # micrometres from one liver cell to the next
_PSEUDOGLANDS, _GIANT = 260.0, 220.0  # per mm2 of tumour, where all of it shows them
_OUTLINE_STEP, _OUTLINE_SMOOTH = 4.0, 14.0  # micrometres a pixel of what is outlined, and that an outline ignores
_CROWDED = 4500.0  # lymphocytes per mm2 that are outlined

CLASSES = ("Tumor", "Stroma", "Necrosis", "Immune cells", "Normal")
"""What is outlined, by QuPath's names; numbered from 1."""


@dataclass(frozen=True, kw_only=True)
class Uptake:
    """Stain taken up, (side, side) float32, 0 on glass; 1 is about the optical density of a nucleus or of collagen.

    `collagen` (n, n) is where there are its fibres, `outlined` (m, m) the number in CLASSES of what a pathologist would
    outline, 0 for nothing; both cover the same square.
    """

    haematoxylin: np.ndarray
    eosin: np.ndarray
    collagen: np.ndarray
    outlined: np.ndarray


@dataclass(frozen=True, kw_only=True)
class _Core:
    """What every step of drawing one core needs; `share` 0..1 is how aggressive it looks, `further` draws findings."""

    rng: np.random.Generator
    further: np.random.Generator
    found: Findings
    layout: Layout
    pixel: float
    share: float

    def at(self, field: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """The values of a layout field at positions of the full picture."""
        row, column = (positions / _COARSE).astype(int).T
        return np.asarray(field[row, column])

    def noise(self, grain: float, *, fine: bool = False) -> np.ndarray:
        """Smooth noise correlated over `grain` micrometres, at the layout's resolution or the picture's."""
        side, pixel = len(self.layout.tissue), self.pixel * _COARSE
        if fine:
            side, pixel = side * _COARSE, self.pixel
        return smooth_noise(self.rng, side=side, grain=grain / pixel)

    def scatter(self, per_mm2: float, weight: np.ndarray, *, rng: np.random.Generator | None = None) -> np.ndarray:
        """Random positions (n, 2), `per_mm2` of them where the weight field is 1 and in proportion elsewhere."""
        side, rng = len(weight) * _COARSE, rng or self.rng
        peak = float(weight.max())
        tries = rng.poisson(per_mm2 * peak * (side * self.pixel / 1000) ** 2)
        positions = rng.uniform(0, side, (tries, 2))
        return positions[rng.random(tries) * peak < self.at(weight, positions)]


def draw_tissue(
    rng: np.random.Generator,
    *,
    grade: float,
    effect: float,
    settings: PhantomSettings,
    found: Findings = PLAIN,
    further: np.random.Generator | None = None,
) -> Uptake:
    """One core. `grade` is how aggressive it looks (about standard normal); `effect` 0..1 how much that changes it.

    What was `found` besides is drawn from `further`, so that all else is the same without it. As the grade rises nuclei
    grow, darken, roughen and show nucleoli, plates thicken, lymphocytes and glands thin out.
    """
    share = float(aggressive_share(grade, effect=effect))
    side = settings.side // _COARSE
    layout = draw_layout(rng, side=side, pixel=Microns(settings.mpp * _COARSE), plate_width=Microns(36 + 40 * share))
    further = further or rng
    if found != PLAIN:
        layout = altered(layout, found, rng=further, pixel=settings.mpp * _COARSE)
    core = _Core(rng=rng, layout=layout, pixel=settings.mpp, share=share, further=further, found=found)
    cells, cell_map = _cells(core)
    haematoxylin, eosin, collagen = _ground(core, cell_map)
    _open_holes(core, haematoxylin, eosin)
    nuclei = np.zeros_like(haematoxylin)
    _liver_nuclei(core, nuclei, cells, grade=grade, effect=effect, settings=settings)
    _spindle_nuclei(core, nuclei)
    crowd = _lymphocytes(core, nuclei, settings)
    _red_cells(core, eosin)
    _giant_nuclei(core, nuclei)
    covered = np.clip(nuclei, 0, 1)
    return Uptake(
        haematoxylin=np.maximum(haematoxylin, nuclei),
        eosin=eosin * (1 - 0.35 * covered),
        collagen=collagen,
        outlined=_outlined(core, crowd),
    )


def aggressive_share(grade: float | np.ndarray, *, effect: float) -> np.ndarray:
    """Place 0..1 between the mildest and the most aggressive look; 0.5 whatever the grade when `effect` is 0."""
    return np.asarray(0.5 + effect * (special.ndtr(grade) - 0.5))


def _cells(core: _Core) -> tuple[np.ndarray, np.ndarray]:
    """Centres of cells (n, 2) on a jittered hexagonal grid, and the coarse map of which cell each pixel is nearest."""
    side = len(core.layout.tissue) * _COARSE
    step = _CELL / core.pixel
    rows, columns = np.mgrid[0 : side : step * 0.87, 0:side:step]
    columns[1::2] += step / 2
    centres = np.stack([rows.ravel(), columns.ravel()], axis=1)
    centres += core.rng.normal(0, 0.16 * step, centres.shape)
    centres = centres[((centres >= 0) & (centres < side)).all(axis=1)]
    free = np.ones(core.layout.tissue.shape, dtype=bool)
    row, column = (centres / _COARSE).astype(int).T
    free[row, column] = False
    nearest = ndimage.distance_transform_edt(free, return_distances=False, return_indices=True)
    return centres, nearest[0] * len(free) + nearest[1]


def _outlined(core: _Core, crowd: np.ndarray) -> np.ndarray:
    """Which of CLASSES each pixel of `_OUTLINE_STEP` micrometres would be outlined as; `crowd`: lymphocytes per mm2."""
    layout, step = core.layout, max(1, round(_OUTLINE_STEP / core.pixel / _COARSE))

    def broad(field: np.ndarray, microns: float) -> np.ndarray:
        return np.asarray(ndimage.uniform_filter(field, round(microns / core.pixel / _COARSE))[::step, ::step])

    places = (
        (layout.tumour > 0.5, 1),  # CLASSES by number, later ones in front
        (layout.tumour <= 0.5, 5),
        (layout.stroma > 0.5, 2),
        (crowd > _CROWDED, 4),
        (layout.necrosis > 0.5, 3),
    )
    numbers = np.zeros(broad(layout.tissue, 1).shape, np.uint8)
    for where, number in places:
        numbers[broad(where.astype(np.float32), _OUTLINE_SMOOTH) > 0.5] = number
    return numbers * (broad(layout.tissue, _OUTLINE_STEP) > 0.5)


def _ground(core: _Core, cell_map: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Haematoxylin and eosin of everything but nuclei, (side, side), and collagen, coarsely."""
    layout, rng = core.layout, core.rng
    coarse, side = len(cell_map), len(cell_map) * _COARSE
    parenchyma = layout.parenchyma
    tint = rng.normal(0, 1, coarse * coarse).astype(np.float32)[cell_map]
    membrane = (cell_map != np.roll(cell_map, 1, axis=0)) | (cell_map != np.roll(cell_map, 1, axis=1))
    patchy = core.noise(60)
    waves = np.sin(layout.fibre * np.float32(2 * np.pi / 7) + 5 * core.noise(16))
    waves += 0.6 * core.noise(4)
    stroma = layout.stroma * layout.tissue
    basophilia = 0.16 + 0.14 * core.share * layout.tumour
    eosin = parenchyma * (0.52 + 0.09 * tint + 0.06 * patchy + 0.2 * membrane) + stroma * (0.72 + 0.2 * waves)
    haematoxylin = parenchyma * (basophilia + 0.035 * tint + 0.03 * patchy) + stroma * 0.06
    leak = layout.tissue * layout.sinusoid * 0.12
    collagen = np.asarray(stroma * (0.72 + 0.2 * waves) * (1 - layout.necrosis)).clip(0)
    dead = layout.tissue * layout.necrosis
    eosin, haematoxylin = eosin + dead * (0.62 + 0.1 * patchy), haematoxylin + 0.1 * dead
    grain = 1 + 0.22 * core.noise(1.1, fine=True)
    grain *= 1 - 0.55 * ramp(core.noise(3, fine=True), low=0.3, high=2.2)  # foamy cytoplasm
    grain = np.maximum(grain, 0.1)
    haematoxylin, eosin = (enlarge(each, side=side).clip(0) * grain for each in (haematoxylin, eosin + leak))
    return haematoxylin, eosin, collagen


def _open_holes(core: _Core, haematoxylin: np.ndarray, eosin: np.ndarray) -> None:
    """Fat droplets, at random, and glands, which aggressive tumours lose."""
    holes = np.zeros_like(eosin)
    inside = (core.layout.parenchyma > 0.7).astype(np.float32)
    droplets = core.scatter(core.rng.exponential(60), inside)
    glands = core.scatter(90 * (1 - core.share), inside * core.layout.tumour)
    positions = np.concatenate([droplets, glands])
    sizes = np.concatenate([core.rng.uniform(4, 11, len(droplets)), core.rng.uniform(8, 17, len(glands))])
    if core.found.pseudoglandular:
        dilated = core.scatter(
            _PSEUDOGLANDS * core.found.pseudoglandular, inside * core.layout.tumour, rng=core.further
        )
        positions = np.concatenate([positions, dilated])
        sizes = np.concatenate([sizes, core.further.uniform(17, 30, len(dilated))])
    stamp(holes, positions=positions, diameters=sizes / core.pixel, looks=[HOLE] * len(sizes), rng=core.rng)
    for stain in (haematoxylin, eosin):
        stain *= 1 - 0.97 * holes.clip(0, 1)


def _liver_nuclei(
    core: _Core, canvas: np.ndarray, cells: np.ndarray, *, grade: float, effect: float, settings: PhantomSettings
) -> None:
    rng, layout = core.rng, core.layout
    cells = cells[core.at(layout.parenchyma, cells) > 0.55]
    local = grade + 0.35 * rng.standard_normal(len(cells)) + 0.5 * core.at(layout.edge, cells) * (grade > 0)
    in_tumour = core.at(layout.tumour, cells)
    share = in_tumour * aggressive_share(local, effect=effect)
    tumour_size = settings.nucleus_mild + (settings.nucleus_aggressive - settings.nucleus_mild) * share
    size = np.where(in_tumour > 0.5, tumour_size, _NORMAL_NUCLEUS)
    size = size * np.exp((0.07 + 0.13 * share) * rng.standard_normal(len(cells)))
    looks = [between(MILD, AGGRESSIVE, step / (_LOOKS - 1)) for step in range(_LOOKS)]
    stamp(
        canvas,
        positions=cells,
        diameters=size / core.pixel,
        darkness=(0.85 + 0.3 * share) * np.exp(0.12 * rng.standard_normal(len(cells))),
        looks=[looks[round(each)] for each in share * (_LOOKS - 1)],
        rng=rng,
    )


def _giant_nuclei(core: _Core, canvas: np.ndarray) -> None:
    """Giant nuclei of the tumour, and crumbs of dead ones."""
    rng, layout = core.further, core.layout
    if core.found == PLAIN:
        return
    giant = core.scatter(_GIANT * core.found.giant, (layout.parenchyma > 0.5) * layout.tumour, rng=rng)
    crumbs = core.scatter(4000, layout.necrosis * layout.tissue + 1e-9, rng=rng)
    for positions, low, high, look in ((giant, 15, 23, AGGRESSIVE), (crumbs, 1.5, 3.5, LYMPHOCYTE)):
        count = len(positions)
        sizes, darkness = rng.uniform(low, high, count) / core.pixel, rng.uniform(1.2, 1.5, count)
        stamp(canvas, positions=positions, diameters=sizes, looks=[look] * count, rng=rng, darkness=darkness)


def _spindle_nuclei(core: _Core, canvas: np.ndarray) -> None:
    """Fibroblasts along stroma and lining cells along sinusoids."""
    layout, rng = core.layout, core.rng
    fibroblasts = (1300, layout.stroma, layout.fibre, 5.5)
    lining_cells = (2600, layout.sinusoid, layout.plate, 4.2)
    for per_mm2, where, direction, size in (fibroblasts, lining_cells):
        positions = core.scatter(per_mm2, where * layout.tissue)
        down, right = np.gradient(direction)
        along = np.arctan2(core.at(right, positions), -core.at(down, positions))
        angles = along + rng.normal(0, 0.25, len(positions))
        sizes = size / core.pixel * np.exp(0.12 * rng.standard_normal(len(positions)))
        stamp(canvas, positions=positions, diameters=sizes, looks=[SPINDLE] * len(sizes), rng=rng, angles=angles)


def _lymphocytes(core: _Core, canvas: np.ndarray, settings: PhantomSettings) -> np.ndarray:
    """Lymphocytes, and how many of them to expect per mm2 at each place."""
    layout, rng = core.layout, core.rng
    few, many = np.log(settings.lymphocytes_aggressive), np.log(settings.lymphocytes_mild)
    density = np.exp(many + (few - many) * core.share + 0.3 * rng.standard_normal())
    clusters = ramp(core.noise(70), low=-0.3, high=1.3)
    where = (2 * layout.stroma + layout.sinusoid + 0.25 * layout.parenchyma) * (clusters + 1e-3) * layout.tissue
    where = where * (1 - layout.necrosis)
    density = density * float(layout.tissue.mean() / where.mean())
    positions = core.scatter(density, where)
    sizes = 5.6 / core.pixel * np.exp(0.08 * rng.standard_normal(len(positions)))
    stamp(canvas, positions=positions, diameters=sizes, looks=[LYMPHOCYTE] * len(sizes), rng=rng)
    return np.asarray(density * where)


def _red_cells(core: _Core, canvas: np.ndarray) -> None:
    layout, rng = core.layout, core.rng
    pools = ramp(core.noise(40), low=0.2, high=1.2)
    positions = core.scatter(5000, np.maximum(layout.lumen, layout.sinusoid) * pools * layout.tissue)
    sizes = 5.5 / core.pixel * np.exp(0.1 * rng.standard_normal(len(positions)))
    stamp(canvas, positions=positions, diameters=sizes, looks=[RED_CELL] * len(sizes), rng=rng)
