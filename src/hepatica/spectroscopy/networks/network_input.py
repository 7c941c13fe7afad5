"""Network input: complex spectra as images for networks, and the norm by which they are scaled."""

from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray


def norm(values: NDArray[Any]) -> NDArray[np.float64]:
    """Mean modulus (…,) of complex windows (…, w): a scanner's gain goes, one tall peak does not decide. Ours."""
    return np.asarray(np.abs(values).mean(axis=-1))


def as_network_values(values: NDArray[Any]) -> NDArray[np.float32]:
    """(n, 1, w, 2) float32 real and imaginary parts of complex spectra (n, w), as `SpectraStore.read` gives them."""
    pairs = np.ascontiguousarray(values, dtype=np.complex64).view(np.float32)
    return np.asarray(rearrange(pairs, "n (w parts) -> n 1 w parts", parts=2))


def as_complex(images: NDArray[Any]) -> NDArray[np.complex64]:
    """The inverse: complex spectra (n, w) of (n, 1, w, 2)."""
    return np.asarray(images[:, 0, :, 0] + 1j * images[:, 0, :, 1], dtype=np.complex64)
