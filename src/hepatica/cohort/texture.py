"""Texture: the structure of pictures by scale and direction, by which rooms tell one kind of specimen from another."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter

SMOOTHED = 6
"""SD in pixels over which each structure tensor is smoothed (ours)."""


def bands(pictures: np.ndarray, *, scales: Sequence[int]) -> dict[int, np.ndarray]:
    """By scale (SD in pixels), what a Gaussian filter of it keeps of pictures (n y x) and that of the next does not.

    The last scale is followed by its double.
    """
    blurred = [_blurred(pictures, scale) for scale in (*scales, 2 * scales[-1])]
    return dict(zip(scales, (fine - coarse for fine, coarse in pairwise(blurred)), strict=True))


def coherence(pictures: np.ndarray, *, scale: int) -> float:
    """Mean anisotropy of the structure tensor of pictures (n y x) blurred by `scale` pixels: 0, or 1 where all
    structure runs one way (Bigün 1987).
    """
    down, across = np.gradient(_blurred(pictures, scale), axis=(1, 2))
    vertical, horizontal, mixed = (_blurred(each, SMOOTHED) for each in (down**2, across**2, down * across))
    strength = np.hypot(horizontal - vertical, 2 * mixed)
    return float(np.mean(strength / (horizontal + vertical + 1e-6)))


def _blurred(pictures: np.ndarray, scale: float) -> np.ndarray:
    return np.asarray(gaussian_filter(pictures, (0, scale, scale), truncate=2))
