"""Tissue: where on a slide there is tissue, rather than glass, pen ink, shadow or the scanner's black border."""

from typing import NamedTuple

import numpy as np
from einops import rearrange
from scipy.ndimage import binary_dilation, binary_propagation, gaussian_filter, uniform_filter
from skimage.color import rgb2hsv
from skimage.filters import threshold_otsu
from skimage.morphology import remove_small_holes, remove_small_objects

from hepatica.pathology.stain import REFERENCE, concentrations

FAINTEST, STRONGEST = 8 / 255, 18 / 255
"""Bounds (ours) of the colour, beside that of the glass, that divides tissue from it: pale stroma has 12 / 255."""

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

TINTED, PINK, COLD = 0.7, 3 / 255, 10 / 255
"""Brightness of tinted glass; how far its green may be below red and blue, and its red below the others (all ours).
Pale eosin is pink by 12 / 255, pale green and blue ink is colder."""

BLACK, SHADE = 0.3, 0.7
"""Brightness of a black mark, and of its thinner parts, where the glass is light (ours)."""

FOLD, FOLD_UM = 1.6, 16
"""Haematoxylin and eosin, both over the median of the tissue, above which it lies in two layers, and the SD in
micrometres of the filter that they are measured behind (ours): nuclei in a crowd have haematoxylin alone."""

MASK_MPP = 8.0
"""Micrometres per pixel of the thumbnail that tissue is looked for on (ours): a tile of 112 um has 14 x 14 of them."""

BORDER = 0.9
"""Share of a row or column that is black in the scanner's border (ours)."""

ENOUGH = 1024
"""Pixels of the longer side in which ink is looked for (ours)."""

TINT_SIDE, TINT_STEPS = 512, 64
"""Pixels of the longer side in which the glass's colour is looked for, and steps from dark to full (ours)."""

PALE = 0.32
"""Largest density below which a colour near ink is its thin edge (ours)."""

STROKE = (25, 1 / 32)
"""Width of a window, in pixels at least and as a share of the longer side (ours), of whose colour more than half has to
be ink: of no cluster of nuclei it is."""


class Pieces(NamedTuple):
    """Masks of a thumbnail, (h w) bool: its tissue, ink of any colour with its pale fringe, and tissue in folds."""

    tissue: np.ndarray
    ink: np.ndarray
    fold: np.ndarray

    def within(self, region: np.ndarray) -> "Pieces":
        """What of it lies in a region (h w) bool."""
        return Pieces(*(each & region for each in self))


def find_tissue(thumbnail: np.ndarray, *, mpp: float = MASK_MPP) -> Pieces:
    """Tissue, pen ink and folds on a thumbnail (h w 3) uint8 of `mpp`; all False where there is none.

    Both have colour: the difference between the strongest and the weakest of red, green and blue, each divided by the
    glass's own, which is nearly nought on glass, grey and black alike. The limit is Otsu's (doi
    10.1109/TSMC.1979.4310076), kept within bounds because on a slide of tissue alone, or of glass alone, Otsu would
    divide the one thing there is. Ink is recognised by ratios of optical densities, which are the same however thin it
    lies, over a width that no cell has; black ink by having none, where it is no straight border. A violet or magenta
    pen has the colours of haematoxylin and eosin and is not found. Without any blue it is a picture of two photons,
    dark where there is no tissue.
    """
    if not thumbnail[..., 2].any():
        light = gaussian_filter(thumbnail.max(axis=-1).astype(np.float32), sigma=2)
        none = np.zeros(light.shape, bool)
        return Pieces(light > LEAST_LIGHT, none, none)
    planes = rearrange(thumbnail, "h w c -> c h w").astype(np.float32, order="C")
    smooth = gaussian_filter(planes / 255, sigma=(0, 1, 1))
    smooth = np.minimum(smooth / _tint(smooth)[:, None, None], 1)
    palest, darkest = smooth.max(axis=0), smooth.min(axis=0)
    colour = palest - darkest
    otsu = threshold_otsu(colour)
    light = float(np.percentile(darkest, 99))
    glass = light if light > GLASS else 1.0
    grey = _density(darkest, glass) - _density(palest, glass) < GREY * _density(darkest, glass)
    coloured = (colour > np.clip(otsu, FAINTEST, STRONGEST)) & ~grey
    step = max(1, max(colour.shape) // ENOUGH)
    density = _density(smooth[:, ::step, ::step], glass)
    ink = coloured & _enlarged(_ink(density, coloured[::step, ::step]), step, colour.shape)
    speck = max(4, int(SPECK * colour.size))
    if light > GLASS:
        ink |= remove_small_objects(_black(grey, palest), max_size=speck)
    pieces = remove_small_objects(coloured & ~ink, max_size=speck)
    tissue = remove_small_holes(pieces, max_size=speck) & ~ink
    fold = _fold(density, tissue[::step, ::step], mpp=mpp * step)
    return Pieces(tissue, ink, remove_small_objects(tissue & _enlarged(fold, step, colour.shape), max_size=speck))


def _enlarged(mask: np.ndarray, step: int, shape: tuple[int, ...]) -> np.ndarray:
    return mask.repeat(step, axis=0).repeat(step, axis=1)[: shape[0], : shape[1]]


def _tint(smooth: np.ndarray) -> np.ndarray:
    """Colour of the glass (3,), its strongest part 1: the commonest pale colour; white where that is pale tissue."""
    step = max(1, max(smooth.shape) // TINT_SIDE)
    pixels = smooth[:, ::step, ::step].reshape(3, -1)
    pale = pixels[:, (pixels.min(axis=0) > TINTED) & (pixels.min(axis=0) < 1)]
    if not pale.size:
        return np.ones(3, np.float32)
    codes = np.array([1, TINT_STEPS, TINT_STEPS**2]) @ (pale * (TINT_STEPS - 1)).astype(int)
    commonest = np.median(pale[:, codes == np.bincount(codes).argmax()], axis=1)
    red, green, blue = commonest
    is_glass = green > min(red, blue) - PINK and red > max(green, blue) - COLD
    return commonest / commonest.max() if is_glass else np.ones(3, np.float32)


def _density(light: np.ndarray, glass: float) -> np.ndarray:
    return np.asarray(np.maximum(-np.log(np.maximum(light, 1 / 255) / glass), 0))


def _black(grey: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """Black marks with their thinner parts; not the scanner's border, whole rows and columns from an edge on."""
    shade = grey & (brightness < SHADE)
    shade &= ~(_strip(shade.mean(axis=1) > BORDER)[:, None] | _strip(shade.mean(axis=0) > BORDER))
    return np.asarray(binary_propagation(shade & (brightness < BLACK), mask=shade))


def _strip(filled: np.ndarray) -> np.ndarray:
    return np.logical_and.accumulate(filled) | np.logical_and.accumulate(filled[::-1])[::-1]


def _ink(density: np.ndarray, coloured: np.ndarray) -> np.ndarray:
    """Ink where most of the colour around is ink, with the edge of it that is mixed with glass."""
    red, green, blue = density
    scarlet = (red < RED_INK[0] * blue) & (blue > RED_INK[1] * green) & (green > RED_INK[2])
    ink = coloured & ((red > COLD_INK * green) | (blue > YELLOW_INK * green) | scarlet)
    width = max(STROKE[0], int(STROKE[1] * max(coloured.shape)))
    share = uniform_filter(ink.astype(np.float32), width) > 0.5 * uniform_filter(coloured.astype(np.float32), width)
    near = uniform_filter((ink & share).astype(np.float32), 3 * width) > 0.05
    fringe = binary_dilation(ink & share, iterations=3) | (near & (density.max(axis=0) < PALE))
    return np.asarray(coloured & fringe)


def _fold(density: np.ndarray, tissue: np.ndarray, *, mpp: float) -> np.ndarray:
    """Tissue with more of both stains than most has."""
    if not tissue.any():
        return tissue
    wide = gaussian_filter(density, sigma=(0, FOLD_UM / mpp, FOLD_UM / mpp))[:, tissue]
    stains = concentrations(wide.T, REFERENCE.matrix, sparsity=0)
    folded = np.zeros_like(tissue)
    folded[tissue] = (stains > FOLD * np.median(stains, axis=0)).all(axis=1)
    return folded


def appearance(thumbnail: np.ndarray, pieces: Pieces) -> dict[str, float]:
    """How a slide looks: shares of tissue and of ink, and of the tissue that of folds (0..1), mean hue (degrees) and
    saturation (0..1).
    """
    tissue = np.ascontiguousarray(thumbnail[pieces.tissue].T)  # planes, because reductions over three values are slow
    hue, saturation, _ = rgb2hsv(tissue, channel_axis=0)
    turn = np.exp(2j * np.pi * hue).mean() if hue.size else np.nan
    return {
        "tissue_share": float(pieces.tissue.mean()),
        "ink_share": float(pieces.ink.mean()),
        "fold_share": float(pieces.fold.sum() / max(pieces.tissue.sum(), 1)),
        "hue_degrees": float(np.angle(turn, deg=True) % 360),
        "saturation": float(saturation.mean()) if hue.size else np.nan,
    }
