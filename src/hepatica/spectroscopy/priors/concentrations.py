"""Concentrations: their prior distributions, as ranges or as measured in patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import CohortError, SettingsError

Floats = NDArray[np.float64]

_MIDPOINTS = (np.arange(4096) + 0.5) / 4096


@dataclass(frozen=True, kw_only=True)
class Range:
    """Uniform between `low` and `high`, or uniform in the logarithm; one value where both are equal."""

    low: float
    high: float
    log: bool = False

    def at(self, share: Floats) -> Floats:
        """Quantiles of shares in 0..1, of the same shape."""
        if self.log:
            return np.asarray(self.low * (self.high / self.low) ** share)
        return np.asarray(self.low + (self.high - self.low) * share)

    @property
    def digested(self) -> dict[str, Any]:
        """What a digest is made of."""
        return {"low": self.low, "high": self.high, "log": self.log}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What patients had, smoothed: quantiles run straight from one sorted value to the next."""

    values: tuple[float, ...]

    def at(self, share: Floats) -> Floats:
        """Quantiles of shares in 0..1, of the same shape."""
        return np.asarray(np.quantile(self.values, share, method="hazen"))

    @property
    def digested(self) -> dict[str, Any]:
        """What a digest is made of."""
        return {"values": sorted(self.values)}


Distribution = Range | Measured


def mean_sd(distribution: Distribution) -> tuple[float, float]:
    """Mean and standard deviation."""
    values = distribution.at(_MIDPOINTS)
    return float(values.mean()), float(values.std())


def logarithms(distribution: Distribution) -> Floats:
    """(4096,) logarithms of evenly spaced quantiles: their moments are those of the logarithm."""
    return np.log(distribution.at(_MIDPOINTS))


_LEAST_VARIANCE = 1e-6
"""Of a logarithm (ours): a fixed concentration still leaves a covariance that has an inverse."""

_REACH = 4.0
"""Standard deviations of the logarithm beyond which no patient is drawn (ours): the tails of Student's t are long."""


@dataclass(frozen=True, kw_only=True)
class Fat:
    """Lipid lines of one triglyceride: PDFF decides how much there is, a lognormal by how much each line strays.

    `pdff_percent` is F / (F + W) in percent of protons of fat and water, fat taking the place of as many protons of
    water, of which lean liver has `water_protons_mm`. 1 mM of each line is 1 mM of triglyceride.
    """

    lipids: tuple[str, ...]
    pdff_percent: Distribution
    ratio_log_sd: float
    triglyceride_protons: float
    water_protons_mm: float

    def triglyceride_mm(self, pdff_percent: Floats) -> Floats:
        """Triglyceride in mM of fat fractions in percent, of the same shape."""
        return pdff_percent / 100 * self.water_protons_mm / self.triglyceride_protons

    @property
    def log_moments(self) -> tuple[float, float]:
        """Mean and variance of the logarithm of the triglyceride in mM."""
        percent = np.exp(logarithms(self.pdff_percent))
        triglyceride = np.log(self.triglyceride_mm(percent))
        return float(triglyceride.mean()), float(triglyceride.var())


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """Metabolites independent of each other, each in its range; lipids from the fat."""

    names: tuple[str, ...]
    metabolites: Mapping[str, Distribution]
    fat: Fat

    @property
    def _is_lipid(self) -> NDArray[np.bool_]:
        return np.array([name in self.fat.lipids for name in self.names])

    @property
    def log_mean(self) -> Floats:
        """(k,); of lipids it is that of the triglyceride."""
        fat = self.fat.log_moments[0]
        return np.array(
            [fat if name in self.fat.lipids else logarithms(self.metabolites[name]).mean() for name in self.names]
        )

    @property
    def log_covariance(self) -> Floats:
        """(k, k): metabolites are independent, lipids share the triglyceride."""
        own = [
            self.fat.ratio_log_sd**2 if name in self.fat.lipids else logarithms(self.metabolites[name]).var()
            for name in self.names
        ]
        shared = self.fat.log_moments[1] * np.outer(self._is_lipid, self._is_lipid)
        return np.asarray(np.diag(np.maximum(own, _LEAST_VARIANCE)) + shared)

    @property
    def digested(self) -> dict[str, Any]:
        """What a digest is made of."""
        fat = {name: getattr(self.fat, name) for name in ("ratio_log_sd", "triglyceride_protons", "water_protons_mm")}
        return {
            "names": list(self.names),
            "metabolites": {name: self.metabolites[name].digested for name in self.names if name in self.metabolites},
            "fat": fat | {"pdff_percent": self.fat.pdff_percent.digested},
        }

    def select(self, names: Sequence[str]) -> "Ranges":
        """These components in this order; SettingsError names those that are missing."""
        missing = [name for name in names if name not in self.metabolites and name not in self.fat.lipids]
        _none_missing(missing, have=(*self.metabolites, *self.fat.lipids))
        return replace(self, names=tuple(names))

    def sample(self, rng: np.random.Generator, *, n: int) -> Floats:
        """(n, k) mM."""
        share, fat = rng.random((n, len(self.names))), rng.random(n)
        triglyceride = self.fat.triglyceride_mm(self.fat.pdff_percent.at(fat))
        strays = np.exp(self.fat.ratio_log_sd * rng.standard_normal((n, len(self.names))))
        drawn = [
            triglyceride * strays[:, place] if name in self.fat.lipids else self.metabolites[name].at(share[:, place])
            for place, name in enumerate(self.names)
        ]
        return np.stack(drawn, axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class FromPatients:
    """What a next patient of a class may have: Student's t of the logarithms, about what n patients had.

    `log_mean` (k,), `log_covariance` (k, k) are those of the t itself, `freedom` its degrees of freedom, above 2.
    """

    names: tuple[str, ...]
    log_mean: Floats
    log_covariance: Floats
    freedom: float

    @property
    def digested(self) -> dict[str, Any]:
        """What a digest is made of."""
        moments = {"log_mean": self.log_mean.tolist(), "log_covariance": self.log_covariance.tolist()}
        return {"names": list(self.names), "freedom": self.freedom} | moments

    def select(self, names: Sequence[str]) -> "FromPatients":
        """These components in this order; SettingsError names those that are missing."""
        _none_missing([name for name in names if name not in self.names], have=self.names)
        rows = [self.names.index(name) for name in names]
        covariance = self.log_covariance[np.ix_(rows, rows)]
        return replace(self, names=tuple(names), log_mean=self.log_mean[rows], log_covariance=covariance)

    def sample(self, rng: np.random.Generator, *, n: int) -> Floats:
        """(n, k) mM; no logarithm strays by more than 4 standard deviations.

        CohortError where the patients did not differ in every component on its own.
        """
        try:
            scale = np.linalg.cholesky(self.log_covariance * (self.freedom - 2) / self.freedom)
        except np.linalg.LinAlgError:
            raise CohortError(
                "got patients of a class whose concentrations do not differ, or only together, wanted such from which"
                " others can be drawn; give more patients"
            ) from None
        normal = rng.standard_normal((n, len(self.names))) @ scale.T
        student = normal / np.sqrt(rng.chisquare(self.freedom, size=(n, 1)) / self.freedom)
        most = _REACH * np.sqrt(np.diag(self.log_covariance))
        return np.exp(self.log_mean + np.clip(student, -most, most))


Concentrations = Ranges | FromPatients
"""Draws of concentrations of `names`, and the moments of their logarithms (natural, of mM)."""


def _none_missing(missing: Sequence[str], *, have: Sequence[str]) -> None:
    if missing:
        raise SettingsError(
            f"the priors have no {', '.join(missing)}; they have {', '.join(have)}: add it to the file of"
            " priors, or leave it out of the basis"
        )
