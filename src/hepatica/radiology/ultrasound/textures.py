"""Textures: Haralick's features, wavelet energies and autocorrelation of squares of ultrasound, as rows for a model."""

import numpy as np
from einops import rearrange

from hepatica.radiology.radiomics import RadiomicsSettings, features

HARALICK = RadiomicsSettings(bin_width=None, bins=16, aggregation="2D, averaged", families=("first_order", "glcm"))
"""Of 16 grey levels, neighbours in the image (ours)."""

LEVELS = 3
"""Of the Haar wavelet (ours)."""

LAGS = (1, 2, 4, 8)
"""Pixels of the autocorrelation (ours)."""


def textures(square: np.ndarray, *, mask: np.ndarray | None = None) -> dict[str, float]:
    """Features of one square (y x) by name; Haralick's within `mask` (y x) bool alone."""
    inside = np.ones(square.shape, bool) if mask is None else mask
    found = features(square[None], inside[None], spacing_mm=(1.0, 1.0, 1.0), settings=HARALICK)
    return found | wavelet_energies(square) | autocorrelations(square)


def wavelet_energies(square: np.ndarray) -> dict[str, float]:
    """log2 of the mean square of each detail of the orthonormal Haar wavelet (Mallat 1989, doi 10.1109/34.192463); what
    is beyond an even number of rows or columns is left out.
    """
    coarse, found = np.asarray(square, float), dict[str, float]()
    for level in range(1, LEVELS + 1):
        rows, columns = (side // 2 * 2 for side in coarse.shape)
        four = rearrange(coarse[:rows, :columns], "(y j) (x i) -> j i y x", j=2, i=2)
        (a, b), (c, d) = four
        details = {"horizontal": a + b - c - d, "vertical": a - b + c - d, "diagonal": a - b - c + d}
        coarse = (a + b + c + d) / 2
        found |= {
            f"haar_{level}_{name}": float(np.log2(np.mean((each / 2) ** 2) + 1e-3)) for name, each in details.items()
        }
    return found


def autocorrelations(square: np.ndarray) -> dict[str, float]:
    """Correlation of grey levels with those LAGS pixels below and beside; 0 of a square of one level."""
    centred = square - np.mean(square, dtype=float)
    variance = float((centred**2).mean()) or 1.0
    pairs = {f"{lag}_{name}": (centred[a], centred[b]) for lag in LAGS for name, a, b in (
        ("down", np.s_[lag:], np.s_[:-lag]), ("across", np.s_[:, lag:], np.s_[:, :-lag]),
    )}  # fmt: skip
    return {f"autocorrelation_{name}": float((a * b).mean() / variance) for name, (a, b) in pairs.items()}


def texture_rows(squares: np.ndarray) -> np.ndarray:
    """(n, features) float32 of squares (n y x)."""
    return np.array([list(textures(each).values()) for each in squares], np.float32)


def count() -> int:
    """How many features a square has."""
    return len(textures(np.arange(256.0).reshape(16, 16)))
