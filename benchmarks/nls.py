"""NLS: time a spectrum and core, error over Cramér-Rao bound, and lmfit on the same model in the same run.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/nls.py

Phantoms of the liver's 20 targets, 1024 points, drawn from priors.toml with the signal model's nuisance (OF_MODEL).
Prints milliseconds a spectrum of NLS, MAP and refinement from a network-like start (medians of ROUNDS), how many
converged, the median over targets of error / bound (robust: 1.4826 median |z|), and how often lmfit's plain
Levenberg-Marquardt of the same model, from the same start, takes as long. lmfit gets an environment of its own.
"""

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peers import environment

from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.bounds import bayesian_bound, crlb
from hepatica.spectroscopy.fitting.fit import Fit
from hepatica.spectroscopy.fitting.least_squares import map_fit, nls, refine
from hepatica.spectroscopy.fitting.multistart import Grid
from hepatica.spectroscopy.fitting.prior_terms import SoftConstraints, gaussian_prior_of
from hepatica.spectroscopy.fitting.signal_model import SHARED, Parameters, SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulate import Simulated, simulate

ROUNDS, SPECTRA, PEER_SPECTRA = 3, 256, 3

FEWEST = 20
"""Spectra in which a target must be quantifiable for its ratio to be printed."""

PEER = """
import json, sys, time
import lmfit
import numpy as np

given = np.load(sys.argv[1])
halved, t, rows, ppm, design = (given[name] for name in ("halved", "time", "rows", "ppm", "design"))
k, splines = len(halved), design.shape[1]


def residual(parameters, values, noise, shift_sd):
    v = np.array(list(parameters.valuesdict().values()))
    c, d, (common, lorentz, gauss, phase0, phase1), s = v[:k], v[k : 2 * k], v[2 * k : 2 * k + 5], v[2 * k + 5 :]
    damped = np.exp(2j * np.pi * common * t - np.pi * lorentz * t - (np.pi * gauss * t) ** 2 / (4 * np.log(2)))
    decay = (c[:, None] * halved * np.exp(2j * np.pi * d[:, None] * t)).sum(axis=0) * damped
    fitted = np.exp(1j * (phase0 + phase1 * (ppm - 3.2))) * np.fft.fft(decay)[rows]
    rest = (values - fitted - design @ (s[:splines] + 1j * s[splines:])) / noise
    return np.concatenate([rest.real, rest.imag, d / shift_sd])


for values, noise, start in zip(given["values"], given["noise"], given["start"]):
    parameters = lmfit.Parameters()
    for number, value in enumerate(np.concatenate([start, np.zeros(2 * splines)])):
        low = 0 if number < k or number == 2 * k + 1 else 0.5 if number == 2 * k + 2 else -np.inf
        parameters.add(f"p{number}", value=max(value, low + 1e-3) if np.isfinite(low) else value, min=low)
    begin = time.perf_counter()
    found = lmfit.minimize(residual, parameters, args=(values, noise, float(given["shift_sd"])), method="leastsq")
    print(json.dumps([time.perf_counter() - begin, 0.5 * float(found.chisqr), int(found.nfev)]), flush=True)
"""


def truth(phantoms: Simulated) -> np.ndarray:
    """Vectors (n, p) that the phantoms were made of."""
    shared = {name: phantoms.nuisance[name].to_numpy(float) for name in SHARED}
    concentration, shift = phantoms.concentrations.astype(float), phantoms.shift_hz.astype(float)
    return Parameters(concentration=concentration, shift_hz=shift, **shared).vector


def timed(name: str, fit: Callable[[], Fit], *, bound: np.ndarray, phantoms: Simulated) -> float:
    """Milliseconds a spectrum, printed with error over bound."""
    fit()
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        found = fit()
        seconds.append(time.perf_counter() - begin)
    z = np.abs(found.concentration - phantoms.concentrations) / bound
    kept = [each[sure] for each, sure in zip(z.T, (bound < 0.5 * phantoms.concentrations).T, strict=True)]
    each = 1e3 * statistics.median(seconds) / len(z)
    steps, converged = found.iterations.mean(), found.converged.mean()
    sure = _over_targets([each for each in kept if each.size >= FEWEST])
    print(
        f"{name:7} {each:6.2f} ms a spectrum, {converged:.1%} converged, {steps:.1f} steps\n"
        f"        error / bound: {_over_targets(list(z.T))}\n"
        f"        where the bound is below half the value: {sure}"
    )
    return each


def _over_targets(z: list[np.ndarray]) -> str:
    robust = [1.4826 * float(np.median(each)) for each in z]
    squared = [float(np.sqrt((each**2).mean())) for each in z]
    return (
        f"{len(z)} targets, robust median {np.median(robust):.2f} (highest {max(robust):.2f}), root mean square median"
        f" {np.median(squared):.2f} (highest {max(squared):.2f})"
    )


def plain(
    values: np.ndarray, noise: np.ndarray, *, model: SignalModel, constraints: SoftConstraints
) -> list[list[float]]:
    """Seconds, half of chi² and evaluations of lmfit for each spectrum."""
    fids = model.basis.fids.copy()
    fids[:, 0] *= 0.5
    within = (model.basis.acquisition.ppm >= model.ppm[0]) & (model.basis.acquisition.ppm <= model.ppm[-1])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spectra.npz"
        np.savez(
            path,
            halved=fids,
            time=model.basis.acquisition.time_s,
            rows=np.fft.fftshift(np.arange(fids.shape[1]))[within],
            ppm=model.ppm,
            design=model.baseline.design,
            values=values,
            noise=noise,
            start=Grid(model=model).starts(values)[1],
            shift_sd=constraints.shift_sd_hz,
        )
        command = [str(environment("lmfit", "lmfit==1.3.4")), "-c", PEER, str(path)]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in answer.splitlines()]


def main() -> None:
    """Print the figures."""
    priors = read_priors()
    model = SignalModel(basis=simulate_basis(Acquisition()))
    phantoms = simulate(priors, model.basis, n=SPECTRA, seed=7, effects=OF_MODEL)
    values, noise = model.window(phantoms.values).astype(complex), phantoms.noise_sd
    prior = gaussian_prior_of(priors, names=model.names)
    constraints = SoftConstraints(shift_sd_hz=prior.nonlinear["shift_hz"][1])
    known = {"model": model, "noise_sd": noise}
    vector = truth(phantoms)
    free = crlb(vector, constraints=constraints, **known).sd
    both = bayesian_bound(vector, prior=prior, **known).sd
    rough = np.maximum(phantoms.concentrations * np.random.default_rng(0).uniform(0.8, 1.2, free.shape), 0)
    ours = timed("NLS", lambda: nls(values, constraints=constraints, **known), bound=free, phantoms=phantoms)
    timed("MAP", lambda: map_fit(values, prior=prior, **known), bound=both, phantoms=phantoms)
    timed("refine", lambda: refine(rough, values=values, prior=prior, **known), bound=both, phantoms=phantoms)
    few = slice(0, PEER_SPECTRA)
    peer = plain(values[few], noise[few], model=model, constraints=constraints)
    fit = nls(values[few], model=model, noise_sd=noise[few], constraints=constraints)
    lower = [
        theirs[1] - 0.5 * chi2 for theirs, chi2 in zip(peer, objective(fit, values[few], constraints), strict=True)
    ]
    seconds = statistics.median(each[0] for each in peer)
    print(
        f"lmfit    {1e3 * seconds:.0f} ms a spectrum (median of {len(peer)}, {peer[0][2]} evaluations), ratio"
        f" {1e3 * seconds / ours:.0f}; its half chi² less ours: {', '.join(f'{each:+.2f}' for each in lower)}"
    )


def objective(fit: Fit, values: np.ndarray, constraints: SoftConstraints) -> np.ndarray:
    """chi² (n,) with the constraints of own shifts, as lmfit has it."""
    rest = values - fit.peaks() - fit.baseline(values)
    own = (fit.parameters.shift_hz**2).sum(axis=1) / constraints.shift_sd_hz**2
    return np.asarray((np.abs(rest) ** 2).sum(axis=1) / fit.noise_sd**2 + own)


if __name__ == "__main__":
    main()
