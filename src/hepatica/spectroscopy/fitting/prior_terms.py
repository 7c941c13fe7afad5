"""Prior terms: soft constraints and Gaussian priors of a spectrum's parameters, as quadratic penalties."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.priors.priors import Priors

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Penalty:
    """Half of (vector - mean)ᵀ precision (vector - mean): mean (p,), precision (p, p) or one a spectrum (n, p, p)."""

    mean: Floats
    precision: Floats

    def add(
        self, vector: Floats, rows: NDArray[np.intp], equations: tuple[Floats, Floats, Floats]
    ) -> tuple[Floats, Floats, Floats]:
        """Normal equations of the spectra `rows` at their vectors (m, p), the penalty added."""
        half, gradient, hessian = equations
        precision = self.precision if self.precision.ndim == 2 else self.precision[rows]
        away = vector - self.mean
        pull = (precision @ away[..., None])[..., 0]
        return half + 0.5 * (away * pull).sum(axis=1), gradient + pull, hessian + precision


SHIFT_SD_HZ = 1.0
"""How far the shift of a component strays from that of all (ours): 0.008 ppm at 3 T, by temperature and acidity."""

LOOSE = {
    "common_hz": (0.0, 50.0), "lorentz_hz": (7.0, 50.0), "gauss_hz": (13.0, 50.0),
    "phase0": (0.0, 10.0), "phase1": (0.0, 1.0),
}  # fmt: skip
"""Mean and SD of what all components share (ours): so loose that only a spectrum of mere noise feels it."""

LEAST_SHARE = 0.01
"""A ratio to less than this share of the largest concentration is constrained as if it were to that share (ours)."""


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """The concentration of `of` is `value` ± `sd` times the sum of those of `to`, each times its weight."""

    of: str
    to: Mapping[str, float]
    value: float
    sd: float


@dataclass(frozen=True, kw_only=True)
class SoftConstraints:
    """Shifts within `shift_sd_hz` of that of all, or as `own_shift_sd_hz` has it by name; `shared` as mean and SD.

    What `shared` leaves out is as loose as LOOSE. Ratios of which a component is missing do not count. Raises
    SettingsError on spreads that are not above 0 and on names of SHARED that are unknown.
    """

    shift_sd_hz: float = SHIFT_SD_HZ
    own_shift_sd_hz: Mapping[str, float] = field(default_factory=dict)
    shared: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ratios: tuple[Ratio, ...] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.shared if name not in SHARED]
        spreads = [self.shift_sd_hz, *self.own_shift_sd_hz.values(), *(sd for _, sd in self.shared.values())]
        if unknown or min([*spreads, *(ratio.sd for ratio in self.ratios)]) <= 0:
            raise SettingsError(
                f"got {', '.join(unknown) or 'a spread of 0 or less'}, wanted spreads above 0 of {', '.join(SHARED)}"
            )

    def penalty(self, model: SignalModel, concentration: Floats) -> Penalty:
        """The penalty; `concentration` (n, k) are rough estimates, which scale the ratios."""
        k = len(model.names)
        shared = {**LOOSE, **self.shared}
        mean = np.concatenate([np.zeros(2 * k), [shared[name][0] for name in SHARED]])
        shifts = [self.own_shift_sd_hz.get(name, self.shift_sd_hz) for name in model.names]
        spread = np.concatenate([np.full(k, np.inf), shifts, [shared[name][1] for name in SHARED]])
        precision = np.repeat(np.diag(spread**-2.0)[None], len(concentration), axis=0)
        for ratio in self.ratios:
            precision[:, :k, :k] += _ratio_precision(ratio, model.names, concentration)
        return Penalty(mean=mean, precision=precision)


def _ratio_precision(ratio: Ratio, names: tuple[str, ...], concentration: Floats) -> Floats:
    """(n, k, k) of one ratio, nothing where a component of it is missing."""
    if not {ratio.of, *ratio.to} <= set(names):
        return np.zeros((len(concentration), len(names), len(names)))
    weights = np.array([ratio.to.get(name, 0.0) for name in names])
    apart = np.array([float(name == ratio.of) for name in names]) - ratio.value * weights
    least = LEAST_SHARE * concentration.max(axis=1) + np.finfo(float).tiny ** 0.25
    scale = ratio.sd * np.maximum(concentration @ weights, least)
    return np.asarray(np.outer(apart, apart) / scale[:, None, None] ** 2)


SAMPLES = 32768
"""Samples of the priors of which the moments are taken (ours)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianPrior:
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
        """The penalty of a fit of `model`; SettingsError where the model has other components."""
        if model.names != self.names:
            raise SettingsError(f"got a prior of {', '.join(self.names)} for a model of {', '.join(model.names)}")
        k = len(self.names)
        order = [*["shift_hz"] * k, *SHARED]
        precision = np.zeros((model.size, model.size))
        precision[:k, :k] = np.linalg.inv(self.covariance)
        precision[range(k, model.size), range(k, model.size)] = [self.nonlinear[name][1] ** -2.0 for name in order]
        mean = np.concatenate([self.mean, [self.nonlinear[name][0] for name in order]])
        return Penalty(mean=mean, precision=precision)


@lru_cache(maxsize=16)
def gaussian_prior_of(priors: Priors, *, names: tuple[str, ...]) -> GaussianPrior:
    """The Gaussian of the priors of these components, by the moments of SAMPLES samples, the same each time.

    A concentration is taken as its logarithm where that is the less skewed of the two: lipids, which range over two
    decades, are, while a uniform range from 0 is not, whose logarithm would have a tail of next to nothing (ours).
    Raises SettingsError where the priors lack a component.
    """
    drawn = priors.select(names).concentrations.sample(np.random.default_rng(0), n=SAMPLES)
    logs = np.abs(skew(np.log(drawn))) < np.abs(skew(drawn))
    scaled = np.where(logs, np.log(drawn), drawn)
    return GaussianPrior(
        names=names,
        logs=logs,
        mean=scaled.mean(axis=0),
        covariance=np.atleast_2d(np.cov(scaled.T)),
        covariance_mm=np.atleast_2d(np.cov(drawn.T)),
        nonlinear=priors.nonlinear,
    )
