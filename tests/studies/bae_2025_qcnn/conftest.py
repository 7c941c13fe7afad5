"""Spectra of a few components, and a quantifier whose errors are known."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulated_samples import SimulatedSamples

NAMES = ("GPC", "Lac", "Lip13")


@pytest.fixture(scope="session")
def few_samples() -> SimulatedSamples:
    """Spectra of three components, with the nuisance of the signal model."""
    model = SignalModel(basis=simulate_basis(Acquisition(), names=NAMES))
    return SimulatedSamples(priors=read_priors().select(NAMES), model=model, seed=3, effects=OF_MODEL)


@dataclass
class Wrong:
    """A quantifier that is off by as many mM as its method says, in the n-th spectrum of a call, n times that."""

    model: SignalModel
    off: dict[str, float]
    seen: list[Any] = field(default_factory=list)

    def quantify(self, values: np.ndarray, *, method: str, noise_sd: np.ndarray) -> SimpleNamespace:
        self.seen.append(values)
        truth = np.zeros((len(values), len(NAMES)))
        steps = np.arange(len(values))[:, None] * np.ones(len(NAMES))
        return SimpleNamespace(concentration=truth + self.off[method] * steps, sd=truth + noise_sd[:, None])


@pytest.fixture
def wrong(few_samples: SimulatedSamples) -> Wrong:
    """`nls` is off by 2 mM a spectrum, `map` by 1; nothing of the truth is found."""
    return Wrong(model=few_samples.model, off={"nls": 2.0, "map": 1.0})
