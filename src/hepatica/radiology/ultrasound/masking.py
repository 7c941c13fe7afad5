"""Masking: where a screen shows tissue, so that names and everything else printed round and over it is made black."""

from collections.abc import Sequence

import numpy as np
from einops import reduce
from scipy import ndimage

from hepatica.radiology.deidentify.burned_in import text_places
from hepatica.radiology.ultrasound.regions import Box

DARK = 8  # ours
"""Grey level up to which a pixel counts as nothing shown."""

COLOURED = 24  # ours
"""Grey levels between the channels of a pixel from which on it is coloured."""

BLOCK = 4  # ours
"""Pixels of the blocks by which the outline of the image is found."""

TALLEST = 5  # ours
"""Blocks: what is narrower, such as lines of text, scales and bars, is no image."""


LEAST = 0.05  # ours
"""Share of its box that a bright area has at least."""

MARKED = 0.02  # ours
"""Share of the tissue up to which coloured pixels are marks that were drawn on it."""


def shown(screens: np.ndarray, *, boxes: Sequence[Box] = (), without: Sequence[Box] = ()) -> np.ndarray:
    """Where a few frames (t y x) or (t y x 3) of one clip, uint8, show tissue: (y x) bool.

    That is the large bright areas within each of the `boxes`, or on the whole screen without any; not bars (`without`),
    nor what looks like a line of text, nor coloured marks on a grey image.
    """
    grey = screens if screens.ndim == 3 else screens.max(axis=-1)
    brightest = grey.max(axis=0)
    found = np.zeros(brightest.shape, bool)
    for box in boxes or ((slice(None), slice(None)),):
        found[box] |= _outline(brightest[box])
    for box in without:
        found[box] = False
    drawn = coloured(screens).any(axis=0) & found
    if 0 < drawn.sum() < MARKED * found.sum():
        found &= ~ndimage.binary_dilation(drawn, iterations=BLOCK)
    steady = grey.min(axis=0)  # speckle moves, text does not
    return np.asarray(found & ~text_places(steady, border=0.5))


def coloured(screens: np.ndarray) -> np.ndarray:
    """Where screens, grey (… y x) as a stack or with channels (… y x 3), are not grey: (t y x) bool."""
    if screens.ndim == 3:
        return np.zeros(screens.shape, bool)
    low, high = (np.minimum, np.maximum)
    red, green, blue = (screens[..., each] for each in range(3))
    return np.asarray(high(high(red, green), blue) - low(low(red, green), blue) > COLOURED)


def _outline(picture: np.ndarray) -> np.ndarray:
    """The large bright areas of a picture (y x), their holes filled, a block narrower."""
    height, width = (side // BLOCK * BLOCK for side in picture.shape)
    lit = reduce((picture[:height, :width] > DARK).astype(np.float32), "(y j) (x i) -> y x", "mean", j=BLOCK, i=BLOCK)
    area = ndimage.binary_closing(lit > 0.5, iterations=2)
    labels, _ = ndimage.label(ndimage.binary_opening(area, structure=np.ones((TALLEST, TALLEST))))
    sizes = np.bincount(labels.ravel(), minlength=1)
    sizes[0] = 0
    filled = ndimage.binary_fill_holes((sizes >= LEAST * labels.size)[labels])
    made = np.zeros(picture.shape, bool)
    made[:height, :width] = filled.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    return np.asarray(ndimage.binary_erosion(made, iterations=BLOCK, border_value=1))
