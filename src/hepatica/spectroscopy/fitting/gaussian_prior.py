"""Belief: a Gaussian of a spectrum's parameters before it is seen, made of priors, each on the scale that suits it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.fitting.penalty import Penalty
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.priors.priors import Priors

Floats = NDArray[np.float64]

DRAWS = 32768
"""Draws from the priors of which the moments are taken (ours)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Belief:
    """Concentrations of `names`, or the logarithms of those in `logs` (k,), are Gaussian: `mean` (k,), `covariance`
    (k, k).

    `covariance_mm` (k, k) is that of the concentrations themselves. `nonlinear` has mean and standard deviation of the
    other parameters: of SHARED and of `shift_hz`, the shift of a component from that of all.
    """

    names: tuple[str, ...]
    logs: NDArray[np.bool_]
    mean: Floats
    covariance: Floats
    covariance_mm: Floats
    nonlinear: Mapping[str, tuple[float, float]]

    def penalty(self, model: SignalModel) -> Penalty:
        """What it costs a fit of `model` to stray; SettingsError where the model has other components."""
        if model.names != self.names:
            raise SettingsError(f"got a belief of {', '.join(self.names)} for a model of {', '.join(model.names)}")
        k = len(self.names)
        order = [*["shift_hz"] * k, *SHARED]
        precision = np.zeros((model.size, model.size))
        precision[:k, :k] = np.linalg.inv(self.covariance)
        precision[range(k, model.size), range(k, model.size)] = [self.nonlinear[name][1] ** -2.0 for name in order]
        mean = np.concatenate([self.mean, [self.nonlinear[name][0] for name in order]])
        return Penalty(mean=mean, precision=precision)


@lru_cache(maxsize=16)
def belief_of(priors: Priors, *, names: tuple[str, ...]) -> Belief:
    """The Gaussian of the priors of these components, by the moments of DRAWS draws, the same each time.

    A concentration is taken as its logarithm where that is the less skewed of the two: lipids, which range over two
    decades, are, while a uniform range from 0 is not, whose logarithm would have a tail of next to nothing (ours).
    Raises SettingsError where the priors lack a component.
    """
    drawn = priors.select(names).concentrations.sample(np.random.default_rng(0), n=DRAWS)
    logs = np.abs(skew(np.log(drawn))) < np.abs(skew(drawn))
    scaled = np.where(logs, np.log(drawn), drawn)
    return Belief(
        names=names,
        logs=logs,
        mean=scaled.mean(axis=0),
        covariance=np.atleast_2d(np.cov(scaled.T)),
        covariance_mm=np.atleast_2d(np.cov(drawn.T)),
        nonlinear=priors.nonlinear,
    )
