"""Norm: how strong a spectrum is, by which it is divided before a network reads it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def norm(values: NDArray[Any]) -> NDArray[np.float64]:
    """Mean modulus (…,) of complex windows (…, w): a scanner's gain goes, one tall peak does not decide. Ours."""
    return np.asarray(np.abs(values).mean(axis=-1))
