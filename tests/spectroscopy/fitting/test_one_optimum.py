"""One optimum: fits end alike whatever the threads, kernels, rounding, unit and starts; of two, both count."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.special import voigt_profile

from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting import coord_fit, multistart
from hepatica.spectroscopy.fitting.coord_fit import LIVER_LINES, RealPartFit, real_part_fit
from hepatica.spectroscopy.fitting.fit import Fit
from hepatica.spectroscopy.fitting.least_squares import map_fit, nls, refine
from hepatica.spectroscopy.fitting.prior_terms import GaussianPrior, gaussian_prior_of
from hepatica.spectroscopy.fitting.quantities import quantities_of
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulate import simulate

SAME = {"nls": 1e-3, "map": 1e-3, "refine": 0.02}
"""Standard deviations between two fits of one spectrum; `refine` rests within 0.14 of its minimum."""

BASIS = simulate_basis(Acquisition())
PHANTOMS = simulate(read_priors(), BASIS, n=12, seed=7, effects=OF_MODEL)
PRIOR = gaussian_prior_of(read_priors().select(BASIS.names), names=BASIS.names)
NEARBY = SignalModel(basis=BASIS).window(PHANTOMS.values), PHANTOMS.concentrations * np.geomspace(0.8, 1.25, 20)
METHODS = ("nls", "map", "refine")
OWN = {"nls": slice(None), "map": slice(6, 10), "refine": slice(6, 10)}
"""Spectra that each fits; two of the four may begin in several basins."""

PPM = np.linspace(0.1, 4.0, 400)
COORD = 0.3 + sum(
    voigt_profile(PPM - place - 0.02, 0.05, 0.04) * area / len(places)
    for area, places in zip((0.3, 2.0, 0.2, 0.25, 0.1, 0.05, 0.15, 0.1), LIVER_LINES.values(), strict=True)
    for place in places
) + 0.03 * np.random.default_rng(0).normal(size=PPM.size)  # fmt: skip

ELSEWHERE = """
import pickle, sys
import numpy as np

with open(sys.argv[1], "rb") as file:
    jobs = pickle.load(file)
coord = jobs.pop("coord")().area
np.savez(sys.argv[2], coord=coord, **{method: job().concentration for method, job in jobs.items()})
"""


def job(
    method: str, model: SignalModel | None = None, *, scale: float = 1.0, unit: float = 1.0, rounding: float = 0.0
) -> partial[Fit]:
    """A fit of spectra times `scale`, in another `unit` of the signal."""
    model = model or SignalModel(basis=replace(BASIS, fids=BASIS.fids * unit))  # a new one, so its grid is made anew
    values, start = (each[OWN[method]] for each in NEARBY)
    values = values.astype(complex) * scale * unit
    values *= 1 + rounding * np.random.default_rng(0).normal(size=values.shape)
    noise = PHANTOMS.noise_sd[OWN[method]] * scale * unit
    return partial(by(method, values, model=model, prior=PRIOR, start=start), noise_sd=noise)


def fitted(method: str, **changed: float) -> Fit:
    return job(method, **changed)()


def by(method: str, values: np.ndarray, *, model: SignalModel, prior: GaussianPrior, start: np.ndarray) -> partial[Fit]:
    return {
        "nls": partial(nls, values, model=model),
        "map": partial(map_fit, values, model=model, prior=prior),
        "refine": partial(refine, start, values=values, model=model, prior=prior),
    }[method]


def of_coord(scale: float = 1.0, rounding: float = 0.0) -> RealPartFit:
    return real_part_fit(scale * COORD * (1 + rounding * np.random.default_rng(0).normal(size=PPM.size)), ppm=PPM)


@pytest.fixture(scope="module")
def usual() -> dict[str, Fit]:
    fits = {method: fitted(method) for method in METHODS}
    assert all(fit.converged.all() and not fit.rival.any() for fit in fits.values())
    return fits


def furthest(concentration: np.ndarray, usual: Fit) -> float:
    return float((np.abs(concentration - usual.concentration) / usual.sd).max())


def furthest_of_coord(area: np.ndarray) -> float:
    usual = of_coord()
    return float((np.abs(area - usual.area) / np.sqrt(np.diag(usual.covariance))).max())


@pytest.mark.parametrize(
    "settings",
    [
        {"OMP_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Prescott"},
        {"OMP_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Haswell"},
    ],
)
def test_of_any_threads_and_kernel(usual: dict[str, Fit], settings: dict[str, str], tmp_path: Path) -> None:
    """On processors without them OpenBLAS takes its own."""
    model = SignalModel(basis=BASIS)
    jobs = {method: job(method, model) for method in METHODS} | {"coord": partial(real_part_fit, COORD, ppm=PPM)}
    (tmp_path / "jobs").write_bytes(pickle.dumps(jobs))
    command = [sys.executable, "-c", ELSEWHERE, tmp_path / "jobs", tmp_path / "found.npz"]
    subprocess.run(command, env={**os.environ, **settings}, check=True)
    found = np.load(tmp_path / "found.npz")
    for method in METHODS:
        assert furthest(found[method], usual[method]) < SAME[method]
    assert furthest_of_coord(found["coord"]) < SAME["nls"]


@pytest.mark.parametrize("scale", [1e-3, 7.3, 1e4])
def test_of_any_scale(usual: dict[str, Fit], scale: float) -> None:
    assert furthest(fitted("nls", scale=scale).concentration / scale, usual["nls"]) < SAME["nls"]
    assert furthest_of_coord(of_coord(scale=scale).area / scale) < SAME["nls"]


@pytest.mark.parametrize("method", ["map", "refine"])
def test_of_any_unit_of_the_signal(usual: dict[str, Fit], method: str) -> None:
    """Priors are in mM."""
    assert furthest(fitted(method, unit=1e4).concentration, usual[method]) < SAME[method]


@pytest.mark.parametrize("method", METHODS)
def test_of_any_rounding(usual: dict[str, Fit], method: str) -> None:
    assert furthest(fitted(method, rounding=1e-12).concentration, usual[method]) < SAME[method]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("widths", [slice(None, None, -1), slice(0, 1), slice(1, 2), slice(2, 3)])
def test_from_any_start(usual: dict[str, Fit], method: str, widths: slice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The grid backwards, and with narrow, usual and broad lines alone."""
    monkeypatch.setattr(multistart, "SHIFTS_HZ", multistart.SHIFTS_HZ[::-1])
    monkeypatch.setattr(multistart, "WIDTHS_HZ", multistart.WIDTHS_HZ[widths])
    assert furthest(fitted(method).concentration, usual[method]) < SAME[method]


@pytest.mark.parametrize("starts", [slice(None, None, -1), slice(0, 1), slice(1, 2), slice(3, 5)])
def test_of_a_real_part_from_any_start(starts: slice, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = of_coord(rounding=1e-12).area
    monkeypatch.setattr(coord_fit, "STARTS_PPM", coord_fit.STARTS_PPM[starts])
    assert furthest_of_coord(usual) < SAME["nls"]


APART_PPM = 0.16
SIDED = (2.0, 0.5), (0.5, 2.0)
"""Concentrations of a line and its neighbour, of which two readings of one spectrum leave one another's out."""


def two_sided() -> tuple[SignalModel, np.ndarray]:
    """Two lines; in the spectrum are three at the same distances, symmetric about the middle of the window."""
    middle, acquisition = 2.3, Acquisition()
    away = (middle + np.array([-0.5, 0.5]) * APART_PPM - acquisition.reference_ppm) * acquisition.f0_mhz
    fids = np.exp(2j * np.pi * away[:, None] * acquisition.time_s)
    basis = Basis(names=("A", "B"), fids=fids, acquisition=acquisition)
    model = SignalModel(basis=basis, window_ppm=(middle - 1.9, middle + 1.9))
    vectors = np.zeros((2, model.size))
    vectors[:, :2] = SIDED
    vectors[:, 4:7] = [(sign * APART_PPM / 2 * acquisition.f0_mhz, 3.0, 5.0) for sign in (-1, 1)]
    both = model.evaluate(vectors)
    return model, np.array([both.sum(axis=0), both[0]])


@pytest.mark.parametrize("method", METHODS)
def test_of_two_nearly_equal_optima_intervals_hold_both(method: str) -> None:
    """The tall and the middle line, or the middle and the other tall one; the second spectrum has one reading."""
    model, values = two_sided()
    noise = 1e-3 * np.abs(values).max()
    values = values + noise * np.random.default_rng(0).normal(size=values.shape)
    prior = GaussianPrior(
        names=("A", "B"), logs=np.zeros(2, bool), mean=np.full(2, 1.0), covariance=9 * np.eye(2),
        covariance_mm=9 * np.eye(2), nonlinear=PRIOR.nonlinear | {"common_hz": (0.0, 50.0), "shift_hz": (0.0, 1.0)},
    )  # fmt: skip
    start = np.repeat([SIDED[0]], 2, axis=0)
    fit = by(method, values, model=model, prior=prior, start=start)(noise_sd=noise)
    found = quantities_of(fit, method="nls", unit="mM")
    assert [any("another fit is nearly as good" in flag for flag in own) for own in found.flags] == [True, False]
    either = np.array([fit.concentration[0], fit.concentration[0] + fit.rival[0]])
    assert either[either[:, 0].argsort()] == pytest.approx(np.array(SIDED)[::-1] * either.max() / 2, rel=0.3)
    assert (np.abs(fit.rival[0]) + 1.96 * fit.sd[0] * np.sqrt(fit.chi2[0]) < 1.96 * found.sd[0]).all()
    assert found.sd[1].max() < 0.15


def test_of_two_nearly_equal_optima_of_a_real_part() -> None:
    """The same below LCModel's output; a spectrum of one reading has narrow intervals."""
    lines = {"A": (2.0 - APART_PPM / 2,), "B": (2.0 + APART_PPM / 2,)}
    ppm = np.linspace(1.0, 3.0, 400)
    of_one, of_both = (
        sum(
            area * voigt_profile(ppm - lines[name][0] - shift, 0.015, 0.01)
            for shift, areas in readings
            for name, area in zip(lines, areas, strict=True)
        )
        for readings in ([(-0.08, SIDED[0])], [(-0.08, SIDED[0]), (0.08, SIDED[1])])
    )
    fits = [real_part_fit(each + np.random.default_rng(0).normal(0, 0.01, 400), ppm=ppm, lines=lines)
            for each in (of_one, of_both)]  # fmt: skip
    assert ["nearly as good" in " ".join(fit.flags) for fit in fits] == [False, True]
    wide = 1.96 * np.sqrt(np.diag(fits[1].covariance))
    for area in SIDED:
        assert (np.abs(area - fits[1].area) < wide).all()
    assert np.sqrt(np.diag(fits[0].covariance)).max() < 0.05
