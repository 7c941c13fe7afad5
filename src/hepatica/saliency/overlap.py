"""Overlap: how well the brightest part of a map covers the lesion (Dice)."""

import numpy as np
from einops import reduce

from hepatica.saliency.pointing import paired_masks


def dice_at(maps: np.ndarray, masks: np.ndarray, *, quantile: float | None = None) -> np.ndarray:
    """Dice coefficients (b,), in 0..1, of lesion masks and the brightest pixels of maps, both (b, h, w).

    The brightest are those at or above that quantile of the map, and above its smallest value: a map without
    differences marks nothing. By default as many are taken as the lesion has pixels, so that only their places count.
    Errors are those of `pointing`.
    """
    masks = paired_masks(maps, masks)
    marked = np.zeros_like(masks)
    for brightest, values, mask in zip(marked, maps, masks, strict=True):
        level = 1 - mask.mean() if quantile is None else quantile
        brightest[:] = (values >= np.quantile(values, level, method="higher")) & (values > values.min())
    both, either = (reduce(each.astype(float), "b h w -> b", "sum") for each in (marked & masks, marked))
    return np.asarray(2 * both / (either + reduce(masks.astype(float), "b h w -> b", "sum")))
