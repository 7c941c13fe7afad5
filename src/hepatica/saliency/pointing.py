"""Pointing: how well the brightest part of a map lies in the lesion (pointing game, Dice)."""

import numpy as np
from einops import reduce
from scipy.ndimage import distance_transform_edt

from hepatica.cohort.errors import EvaluationError


def pointing(maps: np.ndarray, masks: np.ndarray, *, tolerance: float = 0.0) -> np.ndarray:
    """Hits (b,) of maps (b, h, w) on lesion masks of that shape: 1 where the largest value lies in the lesion, else 0.

    Where several places share the largest value, the share of them that hit, so that a map without differences scores
    as a blind guess does. `tolerance`: pixels by which a place may miss the lesion and still count.

    Raises EvaluationError where shapes differ or a mask is empty: leave images without a lesion out.
    Zhang J, et al. Top-down neural attention by excitation backprop. ECCV 2016, arXiv 1608.00507, section 4.2.
    """
    masks = paired_masks(maps, masks)
    return np.array([_hit(*pair, tolerance) for pair in zip(maps, masks, strict=True)], dtype=float)


def _hit(values: np.ndarray, mask: np.ndarray, tolerance: float) -> float:
    near = distance_transform_edt(~mask) <= tolerance
    return float(near[values == values.max()].mean())


def paired_masks(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The masks as booleans; EvaluationError where they do not fit the maps (b, h, w) or one is empty."""
    masks = np.asarray(masks, dtype=bool)
    if masks.shape != maps.shape or maps.ndim != 3:
        raise EvaluationError(f"got maps {maps.shape} and masks {masks.shape}, wanted both (b, h, w)")
    if empty := int((~masks.any(axis=(1, 2))).sum()):
        raise EvaluationError(f"got {empty} masks without a lesion; leave these images out")
    if np.isnan(maps).any():
        raise EvaluationError("got maps with values that are not numbers; compute them again")
    return masks


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
