"""Noise: smooth random fields, the raw material of phantom organs, and the correlated noise of CT."""

import numpy as np
from einops import einsum
from scipy import ndimage


def smooth_noise(
    rng: np.random.Generator, *, shape: tuple[int, int, int], grain: tuple[float, float, float]
) -> np.ndarray:
    """(z, y, x) float32 field of standard deviation 1, correlated over about `grain` voxels along each axis.

    Random coefficients of a cubic B-spline.
    """
    z, y, x = (_splines(count, each) for count, each in zip(shape, grain, strict=True))
    field = rng.standard_normal((z.shape[1], y.shape[1], x.shape[1]), dtype=np.float32)
    rows = einsum(z, field @ x.T, "z i, i j x -> z j x")
    smooth = y @ rows
    return np.asarray(smooth / smooth.std())


def _splines(count: int, grain: float) -> np.ndarray:
    """(count, knots) values of the cubic B-splines, one knot every `grain` voxels."""
    knots = int(np.ceil((count - 1) / grain)) + 4
    apart = np.abs(np.arange(count)[:, np.newaxis] / grain + 1 - np.arange(knots))
    inner = 2 / 3 - apart**2 + apart**3 / 2
    outer = (2 - np.minimum(apart, 2)) ** 3 / 6
    return np.where(apart < 1, inner, outer).astype(np.float32)


def scanner_noise(rng: np.random.Generator, *, shape: tuple[int, int, int, int], grain: float) -> np.ndarray:
    """(phase, z, y, x) float32 noise of standard deviation 1, correlated within slices over `grain` pixels."""
    white = rng.standard_normal(shape, dtype=np.float32)
    correlated = ndimage.gaussian_filter(white, sigma=(0, 0, grain, grain), mode="wrap", truncate=3)
    return np.asarray(correlated / correlated.std())
