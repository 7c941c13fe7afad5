"""Simulate: spectra of the liver a second and core, ours against a loop with one FFT a component, in one run.

    .venv/bin/python benchmarks/simulate.py [--rounds 9] [--spectra 2560]

Both make the signal model's 20 components of 1024 points in single precision, with baseline, phases and white noise, of
the same parameters; the loop transforms each component by itself and adds spectra up, as the prototype of spec 4 did.
They take turns, the first left out; times are of the processor, of all threads. Aim: 10,000 spectra a second and core
(the prototype: 985). "Everything" is ours with all the nuisance of spec 6.2 as well.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import scipy.fft

from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.baseline import bsplines
from hepatica.spectroscopy.fitting.signal_model import PIVOT_PPM, WINDOW_PPM
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL, STANDARD, Effects
from hepatica.spectroscopy.simulation.simulate import Simulated, simulate

PRIORS = read_priors()


def ours(basis: Basis, n: int, effects: Effects) -> Simulated:
    """Summed first, transformed once."""
    return simulate(PRIORS, basis, n=n, seed=1, effects=effects)


def loop(basis: Basis, drawn: Simulated) -> np.ndarray:
    """One FFT a component and spectrum."""
    acquisition = basis.acquisition
    time_s, ppm = acquisition.time_s.astype(np.float32), acquisition.ppm
    window = ppm[(ppm >= WINDOW_PPM[0]) & (ppm <= WINDOW_PPM[1])]
    splines = bsplines(np.clip(ppm, window[0], window[-1]), splines=12).astype(np.float32)
    fids = basis.fids.astype(np.complex64)
    rng = np.random.default_rng(0)
    made = np.empty(drawn.values.shape, np.complex64)
    for row, nuisance in enumerate(drawn.nuisance.itertuples()):
        damping = np.pi * nuisance.lorentz_hz * time_s + (np.pi * nuisance.gauss_hz * time_s) ** 2 / (4 * np.log(2))
        total = np.zeros(acquisition.points, np.complex64)
        for k in range(len(fids)):
            turn = np.exp(2j * np.pi * (nuisance.common_hz + drawn.shift_hz[row, k]) * time_s - damping)
            fid = drawn.concentrations[row, k] * fids[k] * turn
            fid[0] *= 0.5
            total += scipy.fft.fftshift(scipy.fft.fft(fid))
        total *= np.exp(1j * (nuisance.phase0 + nuisance.phase1 * (ppm - PIVOT_PPM)))
        height = nuisance.tcho_peak * nuisance.baseline_height / np.sqrt(2)
        total += splines @ (height * (rng.standard_normal(12) + 1j * rng.standard_normal(12)))
        noise = rng.standard_normal((2, acquisition.points), dtype=np.float32)
        made[row] = total + nuisance.noise_sd * (noise[0] + 1j * noise[1])
    return made


def seconds(call: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def agree(basis: Basis) -> None:
    """Without baseline and noise both are the same spectra."""
    clean = ours(basis, 50, Effects(**{**vars(OF_MODEL), "baseline": "none", "noise": False}))
    difference = np.abs(clean.values - loop(basis, clean)).max() / np.abs(clean.values).max()
    if difference > 1e-5:
        raise SystemExit(f"disagreement: spectra differ by {difference:.1e} of the highest")


def main() -> None:
    """Take turns and print the median of rates and of the turns' ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--spectra", type=int, default=2560)
    options = parser.parse_args()
    basis = simulate_basis(Acquisition())
    agree(basis)
    n, few = options.spectra, max(1, options.spectra // 20)
    drawn = ours(basis, few, OF_MODEL)
    ways: dict[str, Callable[[], float]] = {
        "ours": lambda: n / seconds(lambda: ours(basis, n, OF_MODEL)),
        "everything": lambda: n / seconds(lambda: ours(basis, n, STANDARD)),
        "loop": lambda: few / seconds(lambda: loop(basis, drawn)),
    }
    turns = []
    for turn in range(options.rounds + 1):
        order = list(ways) if turn % 2 else list(reversed(ways))
        turns.append({name: ways[name]() for name in order})
    rate = {name: statistics.median(turn[name] for turn in turns[1:]) for name in ways}
    ratio = statistics.median(turn["ours"] / turn["loop"] for turn in turns[1:])
    print(
        f"simulated spectra a second and core, {len(basis.names)} components of {basis.acquisition.points} points:"
        f" {rate['ours']:,.0f}, with everything {rate['everything']:,.0f}, loop {rate['loop']:,.0f}; ratio {ratio:.0f}"
        f" (medians of {options.rounds} turns; aim >= 10,000)"
    )


if __name__ == "__main__":
    main()
