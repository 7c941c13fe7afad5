"""Tissue: where on a slide there is tissue, rather than glass, shadow or the scanner's black border."""

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu
from skimage.morphology import remove_small_holes, remove_small_objects

FAINTEST, STRONGEST = 8 / 255, 18 / 255
"""Bounds (ours) of the colourfulness that divides tissue from glass: pale stroma has 12 / 255, tinted glass 6 / 255."""

SPECK = 1e-4
"""Share of the slide (ours) below which a piece is dust and a hole is a lumen."""


def tissue_mask(thumbnail: np.ndarray) -> np.ndarray:
    """Mask of the tissue, (h w) bool, on a thumbnail (h w 3) uint8; all False where there is none.

    Tissue is what has colour: the difference between the strongest and the weakest of red, green and blue, which is
    nearly nought on white, grey and black alike. The limit is Otsu's (doi 10.1109/TSMC.1979.4310076), kept within
    bounds because on a slide of tissue alone, or of glass alone, Otsu would divide the one thing there is.
    """
    smooth = gaussian_filter(thumbnail.astype(np.float32) / 255, sigma=(1, 1, 0))
    colour = smooth.max(axis=-1) - smooth.min(axis=-1)
    otsu = threshold_otsu(colour)  # type: ignore[no-untyped-call]  # scikit-image ships half its types
    limit = np.clip(otsu, FAINTEST, STRONGEST)
    speck = max(4, int(SPECK * colour.size))
    pieces = remove_small_objects(colour > limit, max_size=speck)
    return np.asarray(remove_small_holes(pieces, max_size=speck), dtype=bool)
