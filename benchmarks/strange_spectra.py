"""Strange spectra: how surely networks and fits say of a spectrum that it is none of those they are made for.

    .venv/bin/python benchmarks/strange_spectra.py RUN

RUN is a locked run of bae_2025_qcnn, as `hepatica study bae_2025` leaves it in its folder `quantifier`. Simulated
spectra like those the networks learnt from are spoilt in one way at a time. Printed for each way are the area under the
ROC curve by which the networks' novelty separates corrupted spectra from clean ones (aim 0.9), and the share of spectra
that each method flags; of clean ones a flag is a false alarm.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepatica.evaluate import auroc
from hepatica.runs import open_run
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.networks.qcnn_quantify import measured
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.quantify import Quantifier
from hepatica.spectroscopy.simulation.simulated_samples import SimulatedSamples
from hepatica.studies.bae_2025_qcnn.simulated_test import METHODS

SPECTRA = 200
STREAM = 5_000_000  # none of `spectroscopy.draws`

Complex = NDArray[Any]


def line(model: SignalModel, *, ppm: float, height: NDArray[Any], width_hz: float = 8.0) -> Complex:
    """A Lorentzian line in each spectrum."""
    away = (model.ppm - ppm) * model.basis.acquisition.f0_mhz / (width_hz / 2)
    return np.outer(height, 1 / (1 + 1j * away))


def corrupted(samples: SimulatedSamples, values: Complex, noise_sd: NDArray[Any]) -> Iterator[tuple[str, Complex]]:
    """Each way of spoiling by its name."""
    rng, model, numbers = np.random.default_rng(0), samples.model, np.arange(SPECTRA)
    highest, step = np.abs(values).max(axis=1), np.diff(model.ppm).mean()
    noise = rng.normal(size=values.shape) + 1j * rng.normal(size=values.shape)
    yield "noise alone", noise_sd[:, None] * noise
    yield "axis turned round", values[:, ::-1]
    yield "phase turned by 90 degrees", 1j * values
    yield "ppm off by 0.17", np.roll(values, round(0.17 / step), axis=1)
    for width in (32.0, 50.0):
        yield (
            f"lines of {width:g} Hz",
            replace(samples, priors=samples.priors.having(gauss_hz=width)).at(numbers).values,
        )
    for ppm in (1.0, 2.45):
        yield f"a line at {ppm} ppm, tenth of the highest", values + line(model, ppm=ppm, height=0.1 * highest)
    acquisition = model.basis.acquisition
    late = simulate_basis(replace(acquisition, te_ms=144.0), names=model.names)
    declared_short = replace(model, basis=replace(late, acquisition=acquisition))
    yield "TE of 144 ms, declared as 35", replace(samples, model=declared_short).at(numbers).values


def main() -> None:
    """Print the table."""
    locked = open_run(Path(sys.argv[1]))
    settings: Any = locked.settings
    network: Any = locked.network
    model, priors = settings.model, read_priors().select(settings.model.names)
    quantifier = Quantifier(model=model, priors=priors, network=network.extractor)
    samples = SimulatedSamples(
        priors=priors, model=model, seed=settings.seed, stream=STREAM, effects=settings.simulated
    )
    known = samples.at(np.arange(SPECTRA))
    clean = measured(network.extractor, known.values).novelty
    label = np.repeat([0, 1], SPECTRA)
    print(f"{SPECTRA} spectra of a kind; AUROC of the networks' novelty; share flagged by {', '.join(METHODS)}")
    for name, values in (("clean", known.values), *corrupted(samples, known.values, known.noise_sd)):
        novelty = measured(network.extractor, values).novelty
        area = auroc(label, score=np.concatenate([clean, novelty])).value
        found = (quantifier.quantify(values, method=each, noise_sd=known.noise_sd).flags for each in METHODS)
        flagged = "  ".join(f"{np.mean([bool(each) for each in flags]):.2f}" for flags in found)
        print(f"{name:42} {area:.2f}   {flagged}", flush=True)


if __name__ == "__main__":
    main()
