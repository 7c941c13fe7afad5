"""Nuclei: small drawn nuclei of every size and shape, stamped onto the haematoxylin map of phantom tissue."""

from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

_SHAPES = 24
"""Different nuclei drawn for each size and kind; each is stamped in eight orientations."""


EDGE = 0.3
"""Share of a nucleus's usual haematoxylin from which a pixel is counted as part of it."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a kind of nucleus looks: haematoxylin of its body and rim, chromatin grain, nucleolus, outline, length."""

    body: float
    rim: float
    grain: float
    nucleolus: float
    roughness: float
    elongation: float


MILD = Look(body=0.8, rim=0.4, grain=0.25, nucleolus=0.1, roughness=0.03, elongation=1.1)
AGGRESSIVE = Look(body=0.95, rim=0.6, grain=0.45, nucleolus=1.3, roughness=0.13, elongation=1.3)
LYMPHOCYTE = Look(body=1.6, rim=0.2, grain=0.25, nucleolus=0.0, roughness=0.03, elongation=1.05)
SPINDLE = Look(body=1.5, rim=0.2, grain=0.3, nucleolus=0.0, roughness=0.05, elongation=4.0)
RED_CELL = Look(body=1.1, rim=0.1, grain=0.05, nucleolus=0.0, roughness=0.04, elongation=1.1)
HOLE = Look(body=1.0, rim=0.0, grain=0.0, nucleolus=0.0, roughness=0.05, elongation=1.1)


@lru_cache
def between(mild: Look, aggressive: Look, share: float) -> Look:
    """The look a share of the way from one to the other."""
    pairs = zip(asdict(mild).items(), asdict(aggressive).values(), strict=True)
    return Look(**{name: low + (high - low) * share for (name, low), high in pairs})


@lru_cache(maxsize=4096)
def bank(look: Look, diameter: int) -> tuple[np.ndarray, ...]:
    """Patches (n, n) float32 of haematoxylin for nuclei of `diameter` pixels (of a disc of the same area)."""
    rng = np.random.default_rng([diameter, *(round(1000 * number) for number in vars(look).values())])
    return tuple(_draw(look, diameter, rng, angle=np.pi * index / _SHAPES) for index in range(_SHAPES))


def _draw(look: Look, diameter: int, rng: np.random.Generator, *, angle: float) -> np.ndarray:
    stretch = np.sqrt(look.elongation * rng.uniform(0.9, 1.15))
    half = int(np.ceil(diameter / 2 * stretch * (1 + 2 * look.roughness))) + 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    along = (x * np.cos(angle) + y * np.sin(angle)) / stretch
    across = (y * np.cos(angle) - x * np.sin(angle)) * stretch
    turn = np.arctan2(across, along)
    outline = 1 + look.roughness * sum(
        rng.normal() * np.cos(order * turn + rng.uniform(0, 2 * np.pi)) / np.sqrt(order) for order in (2, 3, 4)
    )
    depth = diameter / 2 * outline - np.hypot(along, across)  # pixels inside the membrane
    inside = np.clip(depth + 0.5, 0, 1)
    chromatin = ndimage.gaussian_filter(rng.standard_normal(x.shape), 1.1) * 3.0
    density = look.body * (1 + look.grain * np.clip(chromatin, -1.5, 2.0))
    density += look.rim * np.exp(-((depth - 1) ** 2) / 2)
    if look.nucleolus:
        radius = 0.17 * diameter * rng.uniform(0.8, 1.15)
        offset = rng.normal(0, 0.1 * diameter, 2)
        density += look.nucleolus * np.clip(radius - np.hypot(x - offset[0], y - offset[1]) + 0.5, 0, 1)
    return np.asarray(inside * np.maximum(density, 0.15), dtype=np.float32)


def stamp(
    canvas: np.ndarray,
    *,
    positions: np.ndarray,
    diameters: np.ndarray,
    looks: list[Look],
    rng: np.random.Generator,
    darkness: np.ndarray | None = None,
    angles: np.ndarray | None = None,
    labels: np.ndarray | None = None,
) -> None:
    """Lay nuclei onto `canvas` (h, w) in place: the darker of nucleus and canvas stays.

    `positions` (n, 2) are rows and columns of centres, `diameters` pixels, `darkness` factors (1 when absent); `angles`
    (n,) in radians orient the long axis, at random when absent. `labels` (h, w) int32, if given, takes the number of
    each nucleus, counted on from its highest, where it is what one sees.
    """
    count = len(positions)
    spin = rng.uniform(0, np.pi, count) if angles is None else angles % np.pi
    shapes = (spin / np.pi * _SHAPES).astype(int) % _SHAPES
    sizes = np.maximum(np.round(diameters).astype(int), 3)
    corners = np.round(positions).astype(int)
    height, width = canvas.shape
    factors = np.ones(count) if darkness is None else darkness
    number = 0 if labels is None else int(labels.max())
    for shape, size, (row, column), dark, look in zip(shapes, sizes, corners, factors, looks, strict=True):
        patch = bank(look, int(size))[shape]
        half = len(patch) // 2
        top, left = row - half, column - half
        if top < 0 or left < 0 or top + len(patch) > height or left + len(patch) > width:
            continue  # a nucleus cut by the picture's edge is not missed there
        place = np.s_[top : top + len(patch), left : left + len(patch)]
        region, laid = canvas[place], patch * np.float32(dark)
        if labels is not None:
            number += 1
            labels[place][(laid > EDGE * look.body) & (laid >= region)] = number
        np.maximum(region, laid, out=region)
