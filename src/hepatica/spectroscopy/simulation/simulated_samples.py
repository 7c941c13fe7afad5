"""Simulated samples: simulated spectra by their numbers, as networks learn from them."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepatica.learn.plan import seed_from
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.priors.priors import Priors
from hepatica.spectroscopy.simulation.nuisance import STANDARD, Effects
from hepatica.spectroscopy.simulation.simulate import Simulated, basis_digest, simulate

HELD_OUT, STRAIGHT_PARTS, SWEPT, TEST = 1_000_000, 2_000_000, 3_000_000, 4_000_000
"""Streams, no two alike: of what calibrates, of what the networks' straight parts are fitted to, of robustness and of
the test, on which nothing was trained or calibrated. Members learn from the streams from 0 on.
"""


class Drawn(NamedTuple):
    """Complex spectra (n, w) of the model's window, what they are made of, (n, k + 5) concentrations in mM and
    `signal_model.SHARED`, and the noise (n,) of the real part.
    """

    values: NDArray[np.complex64]
    truth: NDArray[np.float64]
    noise_sd: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedSamples:
    """Spectra of `priors` within the window of `model`; number i of a stream is always the same."""

    priors: Priors
    model: SignalModel
    seed: int
    stream: int = 0
    effects: Effects = STANDARD

    @property
    def name(self) -> str:
        """What is drawn: another name, other spectra."""
        model = self.model
        return (
            f"priors {self.priors.digest}, basis {basis_digest(model.basis)}, window {model.window_ppm},"
            f" seed {self.seed}, stream {self.stream}, {self.effects}"
        )

    def other(self, stream: int) -> "SimulatedSamples":
        """Other spectra of the same kind."""
        return replace(self, stream=stream)

    def at(self, numbers: NDArray[np.int64]) -> Drawn:
        """Draw spectra by their numbers, fastest where these follow each other."""
        runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
        seed = seed_from(self.seed, epoch=self.stream)
        drawn = [
            self._drawn(
                simulate(self.priors, self.model.basis, n=len(run), seed=seed, start=int(run[0]), effects=self.effects)
            )
            for run in runs
        ]
        return Drawn(*(np.concatenate(each) for each in zip(*drawn, strict=True)))

    def _drawn(self, found: Simulated) -> Drawn:
        truth = np.column_stack([found.concentrations, *(found.nuisance[name] for name in SHARED)])
        return Drawn(self.model.window(found.values), truth, found.noise_sd)
