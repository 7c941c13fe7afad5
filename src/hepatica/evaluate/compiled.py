"""Compiled: loops over patients as machine code, kept on disk between runs."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays with numba; anew in each process where no folder can be written to keep it."""
    try:
        found: Callable[..., Any] = njit(cache=True)(function)
    except RuntimeError:  # a read-only installation and no home folder
        found = njit(function)
    return found
