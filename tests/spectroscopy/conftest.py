"""Fixtures: where the real files are, and decays of known lines with noise of known strength."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hepatica.spectroscopy.signal.acquisition import Acquisition

LIVER = {0.9: 40.0, 1.28: 300.0, 1.59: 25.0, 2.03: 30.0, 2.77: 4.0, 3.2: 20.0, 3.9: 10.0}
BRAIN = {2.01: 30.0, 3.03: 25.0, 3.2: 20.0, 3.93: 15.0, 2.35: 10.0, 3.55: 10.0}


@pytest.fixture
def real(real_spectra: Path) -> Path:
    """The folder of real files."""
    return real_spectra


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


@dataclass(frozen=True)
class TrainedQcnn:
    """A small qCNN, what it was trained on, and the summary of its training."""

    network: Any
    plan: Any
    samples: Any
    summary: dict[str, Any]


@pytest.fixture(scope="session")
def trained_qcnn(tmp_path_factory: pytest.TempPathFactory) -> TrainedQcnn:
    """Two small members, trained for seconds, once for all tests that need one; copy what you mean to change."""
    from hepatica.spectroscopy.networks.qcnn import build_qcnn
    from hepatica.spectroscopy.networks.qcnn_training import QcnnPlan, train_qcnn
    from hepatica.spectroscopy.priors.priors import read_priors
    from hepatica.spectroscopy.simulation.simulated_samples import SimulatedSamples

    plan = QcnnPlan(
        members=2, per_epoch=2048, epochs=3, held_out=640, width=4, hidden=64, signature=32, batch=128,
        effects="of_model", bound_share=0.01,
    )  # fmt: skip
    samples = SimulatedSamples(priors=read_priors(), model=plan.model, seed=1, effects=plan.simulated)
    network = build_qcnn(plan)
    summary = train_qcnn(network, samples, plan, folder=tmp_path_factory.mktemp("qcnn"), trainer={"accelerator": "cpu"})
    return TrainedQcnn(network=network, plan=plan, samples=samples, summary=summary)
