"""Histology: the haematoxylin and eosin that a phantom core of liver tumour takes up, pixel by pixel.

What changes with aggressiveness is what Li et al. (doi 10.1186/s12916-025-03977-4, Fig. 3) saw: larger nuclei with
visible nucleoli in tumours that recur, the more so at the tumour's edge; small nuclei, glands, cords and many
lymphocytes in those that do not. The sizes of these changes are ours.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, special

from hepatica.cohort.units import Microns
from hepatica.pathology.phantom.layout import Layout, draw_layout
from hepatica.pathology.phantom.noise import enlarge, ramp, smooth_noise
from hepatica.pathology.phantom.nuclei import AGGRESSIVE, HOLE, LYMPHOCYTE, MILD, RED_CELL, SPINDLE, between, stamp
from hepatica.pathology.phantom.settings import PhantomSettings

_COARSE = 2  # the layout is drawn at half the resolution, having no finer detail
_LOOKS = 6  # nuclei are drawn in this many looks from mild to aggressive
_NORMAL_NUCLEUS = 6.5  # micrometres, in liver beside the tumour
_CELL = 16.5  # micrometres from one liver cell to the next


@dataclass(frozen=True, kw_only=True)
class Uptake:
    """Stain taken up, (side, side) float32, 0 on glass; 1 is about the optical density of a nucleus or of collagen."""

    haematoxylin: np.ndarray
    eosin: np.ndarray


@dataclass(frozen=True, kw_only=True)
class _Core:
    """What every step of drawing one core needs; `share` 0..1 is how aggressive it looks."""

    rng: np.random.Generator
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

    def scatter(self, per_mm2: float, weight: np.ndarray) -> np.ndarray:
        """Random positions (n, 2), `per_mm2` of them where the weight field is 1 and in proportion elsewhere."""
        side = len(weight) * _COARSE
        peak = float(weight.max())
        tries = self.rng.poisson(per_mm2 * peak * (side * self.pixel / 1000) ** 2)
        positions = self.rng.uniform(0, side, (tries, 2))
        return positions[self.rng.random(tries) * peak < self.at(weight, positions)]


def draw_tissue(rng: np.random.Generator, *, grade: float, effect: float, settings: PhantomSettings) -> Uptake:
    """One core. `grade` is how aggressive it looks (about standard normal); `effect` 0..1 how much that changes it.

    As the grade rises nuclei grow, darken, roughen and show nucleoli, plates thicken, lymphocytes and glands thin out.
    """
    share = float(aggressive_share(grade, effect=effect))
    side = settings.side // _COARSE
    layout = draw_layout(rng, side=side, pixel=Microns(settings.mpp * _COARSE), plate_width=Microns(36 + 40 * share))
    core = _Core(rng=rng, layout=layout, pixel=settings.mpp, share=share)
    cells, cell_map = _cells(core)
    haematoxylin, eosin = _ground(core, cell_map)
    _open_holes(core, haematoxylin, eosin)
    nuclei = np.zeros_like(haematoxylin)
    _liver_nuclei(core, nuclei, cells, grade=grade, effect=effect, settings=settings)
    _spindle_nuclei(core, nuclei)
    _lymphocytes(core, nuclei, settings)
    _red_cells(core, eosin)
    covered = np.clip(nuclei, 0, 1)
    return Uptake(haematoxylin=np.maximum(haematoxylin, nuclei), eosin=eosin * (1 - 0.35 * covered))


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


def _ground(core: _Core, cell_map: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Haematoxylin and eosin of everything but nuclei, (side, side)."""
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
    grain = 1 + 0.22 * core.noise(1.1, fine=True)
    grain *= 1 - 0.55 * ramp(core.noise(3, fine=True), low=0.3, high=2.2)  # foamy cytoplasm
    grain = np.maximum(grain, 0.1)
    return enlarge(haematoxylin, side=side).clip(0) * grain, enlarge(eosin + leak, side=side).clip(0) * grain


def _open_holes(core: _Core, haematoxylin: np.ndarray, eosin: np.ndarray) -> None:
    """Fat droplets, at random, and glands, which aggressive tumours lose."""
    holes = np.zeros_like(eosin)
    inside = (core.layout.parenchyma > 0.7).astype(np.float32)
    droplets = core.scatter(core.rng.exponential(60), inside)
    glands = core.scatter(90 * (1 - core.share), inside * core.layout.tumour)
    positions = np.concatenate([droplets, glands])
    sizes = np.concatenate([core.rng.uniform(4, 11, len(droplets)), core.rng.uniform(8, 17, len(glands))])
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


def _lymphocytes(core: _Core, canvas: np.ndarray, settings: PhantomSettings) -> None:
    layout, rng = core.layout, core.rng
    few, many = np.log(settings.lymphocytes_aggressive), np.log(settings.lymphocytes_mild)
    density = np.exp(many + (few - many) * core.share + 0.3 * rng.standard_normal())
    clusters = ramp(core.noise(70), low=-0.3, high=1.3)
    where = (2 * layout.stroma + layout.sinusoid + 0.25 * layout.parenchyma) * (clusters + 1e-3) * layout.tissue
    positions = core.scatter(density * float(layout.tissue.mean() / where.mean()), where)
    sizes = 5.6 / core.pixel * np.exp(0.08 * rng.standard_normal(len(positions)))
    stamp(canvas, positions=positions, diameters=sizes, looks=[LYMPHOCYTE] * len(sizes), rng=rng)


def _red_cells(core: _Core, canvas: np.ndarray) -> None:
    layout, rng = core.layout, core.rng
    pools = ramp(core.noise(40), low=0.2, high=1.2)
    positions = core.scatter(5000, np.maximum(layout.lumen, layout.sinusoid) * pools * layout.tissue)
    sizes = 5.5 / core.pixel * np.exp(0.1 * rng.standard_normal(len(positions)))
    stamp(canvas, positions=positions, diameters=sizes, looks=[RED_CELL] * len(sizes), rng=rng)
