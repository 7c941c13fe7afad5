"""Fixtures: where the real files are, and decays of known lines with noise of known strength."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hepatica.spectroscopy.acquisition import Acquisition

LIVER = {0.9: 40.0, 1.28: 300.0, 1.59: 25.0, 2.03: 30.0, 2.77: 4.0, 3.2: 20.0, 3.9: 10.0}
BRAIN = {2.01: 30.0, 3.03: 25.0, 3.2: 20.0, 3.93: 15.0, 2.35: 10.0, 3.55: 10.0}


@pytest.fixture
def real() -> Path:
    """The folder of real files."""
    if "HEPATICA_DATA" not in os.environ:
        pytest.skip("HEPATICA_DATA is not set: no real files here")
    return Path(os.environ["HEPATICA_DATA"], "spectroscopy")


@pytest.fixture(scope="session")
def decay() -> Callable[..., np.ndarray]:
    """`decay(acquisition, lines, width_hz=…, water=…, noise=…, seed=…)`: damped lines at ppm of given amplitudes."""

    def make(
        acquisition: Acquisition,
        lines: dict[float, float] = LIVER,
        *,
        width_hz: float = 12.0,
        water: float = 0.0,
        noise: float = 0.0,
        seed: int = 0,
    ) -> np.ndarray:
        time = acquisition.time_s
        fid = np.zeros(acquisition.points, complex)
        for ppm, amplitude in (lines | ({4.65: water} if water else {})).items():
            hz = (ppm - acquisition.reference_ppm) * acquisition.f0_mhz
            fid += amplitude * np.exp((2j * np.pi * hz - np.pi * width_hz) * time)
        rng = np.random.default_rng(seed)
        return fid + noise * (rng.normal(size=fid.shape) + 1j * rng.normal(size=fid.shape))

    return make


@pytest.fixture(scope="session")
def brain_lines() -> dict[float, float]:
    """Lines of a brain: NAA, creatine, choline and others, by ppm."""
    return BRAIN
