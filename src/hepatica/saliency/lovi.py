"""LOVI: the saliency maps of several layers in one picture, the colour saying which layer saw most.

Mundhenk TN, Chen BY, Friedland G. arXiv 1911.11293, "layer ordered visualization of information".
"""

from collections.abc import Sequence

import numpy as np
from einops import rearrange
from matplotlib.colors import hsv_to_rgb

from hepatica.cohort.errors import SettingsError

FIRST_HUE = 300 / 360
"""Violet, for the first layer; the last is red."""


def lovi(maps: np.ndarray, *, weights: Sequence[float] | None = None) -> np.ndarray:
    """Colour maps of layers (b, layers, h, w), the first layer first: pictures (b, h, w, 3), RGB uint8.

    Hue: which layers saw the place, violet the first, red the last. Saturation: how far one layer alone did, grey
    where all did alike. Brightness: how strongly the strongest layer did, beside all of the image's. Black where
    none did; one layer alone is red.

    Raises SettingsError for weights that are not one a layer, each 0 or more, not all 0.
    """
    count = maps.shape[1]
    shares = np.ones(count) if weights is None else np.asarray(weights, dtype=float)
    if shares.shape != (count,) or not (shares >= 0).all() or not shares.any():
        raise SettingsError(f"got weights {weights} for {count} layers, wanted one of 0 or more each, not all 0")
    seen = _of_range(maps.astype(float)) * rearrange(shares / shares.max(), "n -> n 1 1")
    position = np.linspace(1, 0, count) if count > 1 else np.zeros(1)
    total, most = seen.sum(axis=1), seen.max(axis=1)
    hue = FIRST_HUE * _share(np.einsum("bnhw,n->bhw", seen, position), total)
    even = (_share(total, count * most) - 1 / count) / max(1 - 1 / count, 1 / count)
    saturation = np.where(most > 0, 1 - even, 0)
    colours = hsv_to_rgb(np.stack([hue, saturation, most], axis=-1).clip(0, 1))
    return np.asarray(np.rint(255 * colours), dtype=np.uint8)


def _of_range(maps: np.ndarray) -> np.ndarray:
    """Range-normalise an image's maps jointly, so that a layer's strength beside the others' stays."""
    low, high = maps.min(axis=(1, 2, 3), keepdims=True), maps.max(axis=(1, 2, 3), keepdims=True)
    return _share(maps - low, high - low)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))
