"""Layout: where a phantom core has tumour, liver, plates of cells, stroma and vessels; its settings and noise."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from hepatica.cohort.units import Microns, MicronsPerPixel, SlidePixels

MICROSCOPES = ("brightfield", "multiphoton")


@dataclass(frozen=True, kw_only=True)
class PhantomSettings:
    """What phantom slides are made from; ours.

    "Hard" numbers hold at difficulty 1 and shrink in proportion to it; an effect loses `effect_lost_when_hard` of its
    size at difficulty 1.
    """

    images: int = 2
    side: SlidePixels = SlidePixels(1024)
    mpp: MicronsPerPixel = MicronsPerPixel(0.5)
    nucleus_mild: Microns = Microns(6.8)
    nucleus_aggressive: Microns = Microns(11.2)
    lymphocytes_mild: float = 1800.0  # per mm2 of tissue
    lymphocytes_aggressive: float = 120.0
    effect_lost_when_hard: float = 0.6
    image_variation_when_hard: float = 0.6  # share of what an image shows that is not the patient's aggressiveness
    mark_distance: float = 2.6  # standard deviations between those with a diagnosis and those without, in what marks it
    missed_when_hard: float = 0.2  # share of biopsies that hold no tumour
    microscope: str = "brightfield"  # stained section, or TPEF and SHG of a plain one


STANDARD = PhantomSettings()
"""The phantom of the demo, the docs and the tests."""


def smooth_noise(rng: np.random.Generator, *, side: int, grain: float) -> np.ndarray:
    """(side, side) float32 field of mean 0 and variance about 1, correlated over about `grain` pixels."""
    coarse = max(4, round(side / grain) + 3)
    field = rng.standard_normal((coarse, coarse), dtype=np.float32)
    field /= field.std()
    return enlarge(field, side=side)


def enlarge(field: np.ndarray, *, side: int) -> np.ndarray:
    """(n, n) field interpolated bicubically to (side, side) float32."""
    image = Image.fromarray(np.asarray(field, dtype=np.float32))
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))


def ramp(field: np.ndarray, *, low: float, high: float) -> np.ndarray:
    """0 at or below `low`, 1 at or above `high`, smooth between; `low` above `high` turns it round."""
    t = np.clip((field - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


_EDGE_REACH = 60.0  # micrometres from the tumour's edge over which it still shows
_ADJACENT_SHARE = 0.4  # of the cores hold some liver beside the tumour


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Maps (n, n) of a core, each 0 to 1, and two fields that give structures their direction.

    `tissue` 1 on tissue, 0 on glass; `tumour` 1 in the tumour, 0 in adjacent liver; `edge` 1 where they meet; `stroma`
    fibrous bands, capsule and vessel walls; `lumen` inside of vessels; `sinusoid` slits between plates of cells;
    `necrosis` dead tissue. `fibre` is the distance in micrometres across stroma; `plate` counts plates of cells.
    """

    tissue: np.ndarray
    tumour: np.ndarray
    edge: np.ndarray
    stroma: np.ndarray
    lumen: np.ndarray
    sinusoid: np.ndarray
    necrosis: np.ndarray
    fibre: np.ndarray
    plate: np.ndarray

    @property
    def parenchyma(self) -> np.ndarray:
        """Where liver or tumour cells lie, 0 to 1."""
        vital = self.tissue * (1 - self.necrosis)
        return np.asarray(vital * (1 - self.stroma) * (1 - self.lumen) * (1 - self.sinusoid))


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """The square under a core: random stream, pixels a side, micrometres a pixel, micrometres from the middle."""

    rng: np.random.Generator
    side: int
    pixel: float
    x: np.ndarray
    y: np.ndarray

    def noise(self, grain: Microns | float) -> np.ndarray:
        return smooth_noise(self.rng, side=self.side, grain=grain / self.pixel)

    def slope(self, field: np.ndarray) -> np.ndarray:
        """How fast the field changes, per micrometre: a field over its slope is the distance to its zero."""
        down, right = np.gradient(field)
        return np.asarray(np.hypot(down, right) / self.pixel + 1e-4)

    def tilted(self) -> np.ndarray:
        """Micrometres along a random direction."""
        angle = self.rng.uniform(0, 2 * np.pi)
        return np.asarray(self.x * np.float32(np.cos(angle)) + self.y * np.float32(np.sin(angle)))


def draw_layout(rng: np.random.Generator, *, side: int, pixel: Microns, plate_width: Microns) -> Layout:
    """A core of `side` pixels of `pixel` micrometres whose plates of cells are about `plate_width` thick."""
    y, x = (np.mgrid[:side, :side].astype(np.float32) - np.float32(side / 2)) * np.float32(pixel)
    ground = _Ground(rng=rng, side=side, pixel=pixel, x=x, y=y)
    border, vessel, band = _border(ground), _vessel(ground), _band(ground)
    capsule = ramp(np.abs(border), low=15, high=9)
    wall = ramp(vessel, low=12, high=7)
    lumen = ramp(vessel, low=0.7, high=-0.7)
    stroma = np.maximum(np.maximum(capsule, wall), ramp(band, low=1, high=-1)) * (1 - lumen)
    plate, sinusoid = _plates(ground, plate_width)
    tissue = _core(ground)
    return Layout(
        tissue=tissue,
        tumour=ramp(border, low=-1, high=1),
        edge=np.exp(-np.abs(border) / _EDGE_REACH),
        stroma=stroma,
        lumen=lumen,
        sinusoid=sinusoid * (1 - stroma) * (1 - lumen),
        necrosis=np.zeros_like(tissue),
        fibre=np.where(capsule > 0.5, border, np.where(wall > 0.5, vessel, band)),
        plate=plate,
    )


def _core(ground: _Ground) -> np.ndarray:
    radius = ground.side * ground.pixel * 0.47
    outward = np.hypot(ground.x, ground.y) - radius
    ragged = outward + 0.05 * radius * ground.noise(120) + 2.5 * ground.noise(12)
    return ramp(ragged, low=1, high=-1)


def _border(ground: _Ground) -> np.ndarray:
    """Signed micrometres to the tumour's edge, positive inside; far away when the core is all tumour."""
    if ground.rng.random() > _ADJACENT_SHARE:
        return np.full((ground.side, ground.side), 1e4, dtype=np.float32)
    extent = ground.side * ground.pixel
    return np.asarray(ground.tilted() + extent * ground.rng.uniform(0.12, 0.35) + 14 * ground.noise(110))


def _band(ground: _Ground) -> np.ndarray:
    """Micrometres outside the fibrous bands, negative within; bands run along a contour, swell and break off."""
    contour = ground.noise(190) + 0.12 * ground.noise(45) + ground.rng.normal(0, 0.4)
    return np.asarray(np.abs(contour) / ground.slope(contour) - (4 + 9 * ground.noise(150) + ground.rng.uniform(-3, 5)))


def _vessel(ground: _Ground) -> np.ndarray:
    """Micrometres outside the nearest vessel's lumen, negative within."""
    nearest = np.full((ground.side, ground.side), 1e4, dtype=np.float32)
    reach = ground.side * ground.pixel * 0.38
    for _ in range(ground.rng.poisson(1.6)):
        column, row = ground.rng.uniform(-reach, reach, 2)
        radius, stretch = ground.rng.uniform(8, 26), ground.rng.uniform(1, 1.7)
        off = np.hypot((ground.x - column) * np.float32(stretch), (ground.y - row) / np.float32(stretch)) - radius
        nearest = np.minimum(nearest, off)
    return nearest + 2.5 * ground.noise(25)


def _plates(ground: _Ground, width: Microns) -> tuple[np.ndarray, np.ndarray]:
    plate = ground.tilted() / width + 1.0 * ground.noise(110) + 0.22 * ground.noise(35) + 0.05 * ground.noise(12)
    across = np.abs(plate - np.round(plate)) / ground.slope(plate)
    openness = 1.2 + 1.7 * ground.noise(30)
    return plate, ramp(across - openness, low=0.9, high=-0.9)
