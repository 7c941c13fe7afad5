"""Tissue: where on a slide there is tissue, rather than glass, pen ink, shadow or the scanner's black border."""

from typing import NamedTuple

import numpy as np
from einops import rearrange
from scipy.ndimage import binary_dilation, gaussian_filter, uniform_filter
from skimage.color import rgb2hsv
from skimage.filters import threshold_otsu
from skimage.morphology import remove_small_holes, remove_small_objects

FAINTEST, STRONGEST = 8 / 255, 18 / 255
"""Bounds (ours) of the colourfulness that divides tissue from glass: pale stroma has 12 / 255, tinted glass 6 / 255."""

LEAST_LIGHT = 25
"""Grey levels, of 255, above which a picture of two photons shows tissue (ours)."""

SPECK = 1e-4
"""Share of the slide (ours) below which a piece is dust and a hole is a lumen."""

COLD_INK = 1.25
"""Density in red over green (ours) above which a colour is blue or green ink; tissue has 0.3 to 1, blue nuclei 1.2."""

YELLOW_INK = 1.7
"""Density in blue over green (ours) above which a colour is yellow or brown ink; tissue has 0.3 to 0.9."""

RED_INK = (0.2, 0.72, 0.3)
"""Density in red over blue below, blue over green above, and green above which a colour is red ink (ours); eosin has
0.5 and 0.6, blood 0.25 and 0.8."""

GREY = 0.2
"""Spread of the three densities over the largest below which a colour is black ink or shadow (ours); tissue has 0.5."""

GLASS = 0.85
"""Brightness that a slide's palest percent has where there is glass on it (ours)."""

ENOUGH = 1024
"""Pixels of the longer side in which ink is looked for (ours)."""

PALE = 0.25
"""Largest density below which a colour near ink is its thin edge (ours)."""

STROKE = (25, 1 / 32)
"""Width of a window, in pixels at least and as a share of the longer side (ours), of whose colour more than half has to
be ink: of no cluster of nuclei it is."""


class Pieces(NamedTuple):
    """Masks of a thumbnail, (h w) bool: its tissue, and coloured ink with its pale fringe."""

    tissue: np.ndarray
    ink: np.ndarray


def find_tissue(thumbnail: np.ndarray) -> Pieces:
    """Tissue and pen ink on a thumbnail (h w 3) uint8; all False where there is none.

    Both have colour: the difference between the strongest and the weakest of red, green and blue, nearly nought
    on white, grey and black alike. The limit is Otsu's (doi 10.1109/TSMC.1979.4310076), kept within bounds because on a
    slide of tissue alone, or of glass alone, Otsu would divide the one thing there is. Ink is recognised by ratios of
    optical densities, which are the same however thin it lies, over a width that no cell has. A violet or magenta pen
    has the colours of haematoxylin and eosin and is not found. Without any blue it is a picture of two photons, dark
    where there is no tissue.
    """
    if not thumbnail[..., 2].any():
        light = gaussian_filter(thumbnail.max(axis=-1).astype(np.float32), sigma=2)
        return Pieces(light > LEAST_LIGHT, np.zeros(light.shape, bool))
    smooth = gaussian_filter(thumbnail.astype(np.float32) / 255, sigma=(1, 1, 0))
    palest, darkest = smooth.max(axis=-1), smooth.min(axis=-1)
    colour = palest - darkest
    otsu = threshold_otsu(colour)
    glass = float(np.percentile(darkest, 99))
    glass = glass if glass > GLASS else 1.0
    grey = _density(darkest, glass) - _density(palest, glass) < GREY * _density(darkest, glass)
    coloured = (colour > np.clip(otsu, FAINTEST, STRONGEST)) & ~grey
    step = max(1, max(colour.shape) // ENOUGH)
    ink = _ink(_density(smooth[::step, ::step], glass), coloured[::step, ::step])
    ink = coloured & ink.repeat(step, axis=0).repeat(step, axis=1)[: len(colour), : colour.shape[1]]
    speck = max(4, int(SPECK * colour.size))
    pieces = remove_small_objects(coloured & ~ink, max_size=speck)
    return Pieces(remove_small_holes(pieces, max_size=speck) & ~ink, ink)


def _density(light: np.ndarray, glass: float) -> np.ndarray:
    return np.asarray(np.maximum(-np.log(np.maximum(light, 1 / 255) / glass), 0))


def _ink(density: np.ndarray, coloured: np.ndarray) -> np.ndarray:
    """Ink where most of the colour around is ink, with the edge of it that is mixed with glass."""
    red, green, blue = rearrange(density, "h w c -> c h w")
    scarlet = (red < RED_INK[0] * blue) & (blue > RED_INK[1] * green) & (green > RED_INK[2])
    ink = coloured & ((red > COLD_INK * green) | (blue > YELLOW_INK * green) | scarlet)
    width = max(STROKE[0], int(STROKE[1] * max(coloured.shape)))
    share = uniform_filter(ink.astype(np.float32), width) > 0.5 * uniform_filter(coloured.astype(np.float32), width)
    near = uniform_filter((ink & share).astype(np.float32), 3 * width) > 0.05
    fringe = binary_dilation(ink & share, iterations=3) | (near & (density.max(axis=-1) < PALE))
    return np.asarray(coloured & fringe)


def appearance(thumbnail: np.ndarray, pieces: Pieces) -> dict[str, float]:
    """How a slide looks: shares of tissue and of ink (0..1), mean hue (degrees) and saturation (0..1) of the tissue."""
    hue, saturation, _ = rgb2hsv(thumbnail[pieces.tissue]).T
    turn = np.exp(2j * np.pi * hue).mean() if hue.size else np.nan
    return {
        "tissue_share": float(pieces.tissue.mean()),
        "ink_share": float(pieces.ink.mean()),
        "hue_degrees": float(np.angle(turn, deg=True) % 360),
        "saturation": float(saturation.mean()) if hue.size else np.nan,
    }
