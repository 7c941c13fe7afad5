"""Fixtures: the digital phantom of the IBSI, and random lesions full of holes."""

import numpy as np
import pytest

PHANTOM = (
    "14411 14611 41641 44641",
    "14411 11611 11311 44611",
    "14411 11111 11911 11611",
    "14411 11111 11111 11611",
)
OUTSIDE = [(1, 2, 0), (2, 0, 3), (2, 0, 4), (2, 2, 2), (3, 0, 3), (3, 0, 4)]
"""IBSI reference manual (arXiv:1612.07003), digital phantom, CC BY 4.0: rows of four slices; 2 mm cubes."""


@pytest.fixture(scope="session")
def phantom() -> tuple[np.ndarray, np.ndarray]:
    """Values and mask, (z y x)."""
    values = np.array([[[int(digit) for digit in row] for row in rows.split()] for rows in PHANTOM])
    mask = np.ones(values.shape, bool)
    mask[tuple(np.transpose(OUTSIDE))] = False
    return values, mask


@pytest.fixture(scope="session")
def holed() -> np.ndarray:
    """Levels 1 to 3 in a box of three unlike sides, a third of it outside (0)."""
    return np.random.default_rng(15).integers(0, 4, (4, 7, 5)) * 1
