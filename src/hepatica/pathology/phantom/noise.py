"""Noise: smooth random fields, the raw material of phantom tissue."""

import numpy as np
from PIL import Image


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
