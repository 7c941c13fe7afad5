"""Scan texture: how blurred a real CT is and what noise it has, measured in the scan itself.

Both estimators are ours: the steepest slopes between the body and the air around it tell the blur, and the
autocorrelation of the most even patches of the liver tells the noise.
"""

import numpy as np
from einops import rearrange, reduce
from scipy import ndimage

from hepatica.cohort.errors import SpecimenError

_AIR, _SOFT = -1000.0, 100.0  # HU between which edges are looked at
_EDGE = 750.0  # HU of a step that counts as one from air to skin, ours
_SLICES = 20  # that are looked at, spread over the scan, ours
_SHARP = 25.0  # percentile of the edges' widths, ours: clothes, folds and motion make many of them dull
_BLUR_BLIND = 0.8  # pixels where no edge can be seen, ours
_PIXEL = 1 / 12  # variance of what one pixel spans

_SIDES = (24, 16, 12, 8)  # of a patch in pixels, the largest that fits often enough, ours
_DEEP = 4  # slices of a patch, ours
_FEWEST = 6  # patches, ours


def scan_blur(values: np.ndarray) -> float:
    """Standard deviation in pixels of the blur within the slices of HU (z y x), from edges between body and air.

    It is that of a bell curve, the pixel's own width included: the root of 1/12 at least.
    """
    known = 1.0  # pixel: what slopes and steps are measured with, taken off again
    few = np.clip(values[:: max(1, len(values) // _SLICES)], _AIR, _SOFT)
    smooth, down, across = (
        ndimage.gaussian_filter(few, (0, known, known), order=order) for order in ((0, 0, 0), (0, 1, 0), (0, 0, 1))
    )
    slope = np.hypot(down, across)
    step = ndimage.maximum_filter(smooth, (1, 9, 9)) - ndimage.minimum_filter(smooth, (1, 9, 9))
    edge = (slope == ndimage.maximum_filter(slope, (1, 3, 3))) & (step >= _EDGE)
    if not edge.any():
        return _BLUR_BLIND
    width = step[edge] / slope[edge] / np.sqrt(2 * np.pi)
    return float(np.sqrt(max(np.percentile(width, _SHARP) ** 2 - known**2, _PIXEL)))


def scan_noise(
    rng: np.random.Generator, values: np.ndarray, *, liver: np.ndarray, shape: tuple[int, int, int]
) -> np.ndarray:
    """(z, y, x) float32 noise of `shape` with the strength and texture of that of HU `values` in the `liver` (z y x).

    SpecimenError when the liver is too small to measure it.
    """
    patches = _patches(values, liver)
    even = patches[patches.std(axis=(1, 2, 3)) <= np.median(patches.std(axis=(1, 2, 3)))]  # the fewest vessels
    near = _autocorrelation(even - even.mean(axis=(1, 2, 3), keepdims=True))
    power = np.fft.rfftn(_spread(near, shape)).real.clip(0)
    white = rng.standard_normal(shape, dtype=np.float32)
    noise = np.fft.irfftn(np.fft.rfftn(white) * np.sqrt(power), s=shape, axes=(0, 1, 2))
    return np.asarray(noise * (even.std() / noise.std()), dtype=np.float32)


def _patches(values: np.ndarray, liver: np.ndarray) -> np.ndarray:
    """(patch z y x) of the liver, edge to edge."""
    deep = min(_DEEP, len(values))
    for side in _SIDES:
        z, y, x = (length // part * part for length, part in zip(values.shape, (deep, side, side), strict=True))
        if not z * y * x:
            continue
        into = {"d": deep, "h": side, "w": side}
        inside = reduce(liver[:z, :y, :x], "(z d) (y h) (x w) -> (z y x)", "min", **into)
        if inside.sum() >= _FEWEST:
            cut = rearrange(values[:z, :y, :x], "(z d) (y h) (x w) -> (z y x) d h w", **into)
            return np.asarray(cut[inside], dtype=np.float64)
    raise SpecimenError(
        f"the liver marked holds fewer than {_FEWEST} patches of {deep} slices and {_SIDES[-1]} pixels a side to "
        "measure the scan's noise in; give the mask of a whole liver"
    )


def _autocorrelation(patches: np.ndarray) -> np.ndarray:
    """(z y x) mean product of two voxels so many apart, 0 in the middle, to half a patch each way, fading out."""
    sides = patches.shape[1:]
    padded = [2 * side for side in sides]
    power = (np.abs(np.fft.rfftn(patches, s=padded, axes=(1, 2, 3))) ** 2).mean(axis=0)
    sums = np.fft.fftshift(np.fft.irfftn(power, s=padded, axes=(0, 1, 2)))
    lags = [np.arange(-(side // 2), side // 2 + 1) for side in sides]
    z, y, x = np.ix_(*lags)
    pairs = (sides[0] - np.abs(z)) * (sides[1] - np.abs(y)) * (sides[2] - np.abs(x))
    fade = np.prod(np.broadcast_arrays(*(_fading(lag, side) for lag, side in zip((z, y, x), sides, strict=True))), 0)
    near = sums[np.ix_(*(lag + side for lag, side in zip(lags, sides, strict=True)))]
    return np.asarray(near / pairs * fade)


def _fading(lag: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(np.cos(np.pi / 2 * lag / (side // 2 + 1)) ** 2)


def _spread(near: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """The autocorrelation on a grid of `shape` that goes round, its middle at the first voxel; 0 far from there."""
    whole = np.zeros(shape)
    lags = [np.arange(side) - side // 2 for side in near.shape]
    kept = [np.abs(lag) <= (length - 1) // 2 for lag, length in zip(lags, shape, strict=True)]
    whole[np.ix_(*(lag[keep] for lag, keep in zip(lags, kept, strict=True)))] = near[np.ix_(*kept)]
    return whole
