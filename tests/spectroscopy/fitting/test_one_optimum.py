"""One optimum: fits end in the same place whatever the threads, kernels, rounding, unit and starts."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting import multistart
from hepatica.spectroscopy.fitting.fit import Fit
from hepatica.spectroscopy.fitting.least_squares import nls
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulate import simulate

SAME = 1e-3
"""Standard deviations between two fits of one spectrum."""

BASIS = simulate_basis(Acquisition())
PHANTOMS = simulate(read_priors(), BASIS, n=12, seed=7, effects=OF_MODEL)

ELSEWHERE = """
import sys
import numpy as np
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.fitting.least_squares import nls
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis

values, noise = (np.load(path) for path in sys.argv[1:3])
np.save(sys.argv[3], nls(values, model=SignalModel(basis=simulate_basis(Acquisition())), noise_sd=noise).concentration)
"""


def fitted(*, scale: float = 1.0, rounding: float = 0.0) -> Fit:
    model = SignalModel(basis=BASIS)  # a new one, so that its grid is made anew
    values = model.window(PHANTOMS.values).astype(complex) * scale
    values *= 1 + rounding * np.random.default_rng(0).normal(size=values.shape)
    return nls(values, model=model, noise_sd=PHANTOMS.noise_sd * scale)


@pytest.fixture(scope="module")
def usual() -> Fit:
    fit = fitted()
    assert fit.converged.all()
    return fit


def furthest(concentration: np.ndarray, usual: Fit) -> float:
    return float((np.abs(concentration - usual.concentration) / usual.sd).max())


@pytest.mark.parametrize(
    "settings",
    [
        {"OMP_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Prescott"},
        {"OMP_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Haswell"},
    ],
)
def test_of_any_threads_and_kernel(usual: Fit, settings: dict[str, str], tmp_path: Path) -> None:
    """On processors without them OpenBLAS takes its own."""
    values, noise, found = (tmp_path / f"{name}.npy" for name in ("values", "noise", "found"))
    np.save(values, usual.model.window(PHANTOMS.values).astype(complex))
    np.save(noise, PHANTOMS.noise_sd)
    subprocess.run([sys.executable, "-c", ELSEWHERE, values, noise, found], env={**os.environ, **settings}, check=True)
    assert furthest(np.load(found), usual) < SAME


@pytest.mark.parametrize("scale", [1e-3, 7.3, 1e4])
def test_of_any_unit(usual: Fit, scale: float) -> None:
    assert furthest(fitted(scale=scale).concentration / scale, usual) < SAME


def test_of_any_rounding(usual: Fit) -> None:
    assert furthest(fitted(rounding=1e-12).concentration, usual) < SAME


@pytest.mark.parametrize("widths", [slice(None, None, -1), slice(0, 1), slice(1, 2), slice(2, 3)])
def test_from_any_start(usual: Fit, widths: slice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The grid backwards, and with narrow, usual and broad lines alone."""
    monkeypatch.setattr(multistart, "SHIFTS_HZ", multistart.SHIFTS_HZ[::-1])
    monkeypatch.setattr(multistart, "WIDTHS_HZ", multistart.WIDTHS_HZ[widths])
    assert furthest(fitted().concentration, usual) < SAME
