"""Quantities: concentrations with covariance and bounds, and which of them cannot be quantified."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort import tasks
from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.fitting.bounds import of_information
from hepatica.spectroscopy.fitting.fit import Fit
from hepatica.spectroscopy.fitting.model_error import model_error
from hepatica.spectroscopy.fitting.prior_terms import GaussianPrior, SoftConstraints
from hepatica.spectroscopy.signal.targets import LCM5, LIPIDS5, SUMS

Floats = NDArray[np.float64]
Method = Literal["nls", "map", "qcnn", "qcnn+gn"]
Unit = Literal["mM", "institutional units"]

LEAST_SURE = 0.3
"""Standard deviation, as a share of the value, from which no value is reported (ours, by custom)."""

LEAST_LEARNT = 0.5
"""Variance, as a share of the prior's, from which the prior weighs more in a value than the spectrum (ours)."""

WORST_CHI2 = 1.5
"""chi² per degree of freedom above which the model does not describe the spectrum (ours)."""

TASKS: Mapping[Unit, tasks.Quantities] = {
    "mM": tasks.Quantities("concentration"),
    "institutional units": tasks.Quantities("relative_concentration"),
}
"""What scores are of by their unit: values of different units are never pooled."""

COLUMNS = ("target", "value", "unit", "sd", "crlb", "crlb_percent", "reported", "flags")


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantities:
    """Concentrations (n, k) of `names` in n spectra, in mM where the water scaled them, else in institutional units.

    `covariance` (n, k, k) is the method's own, what is not known of the model included, `unknown_scale` (n, k, k) what
    is not known of the scale, `bound` (n, k, k) the Cramér-Rao bound's, `prior_covariance` (k, k) that of the prior, if
    any. `vector` (n, p) are the signal model's parameters that go with them, for pictures. `flags` are warnings of each
    spectrum. Raises SettingsError on shapes that do not fit.
    """

    names: tuple[str, ...]
    method: Method
    unit: Unit
    concentration: Floats
    covariance: Floats
    bound: Floats
    flags: tuple[tuple[str, ...], ...]
    prior_covariance: Floats | None = None
    vector: Floats | None = None
    unknown_scale: Floats | None = None

    def __post_init__(self) -> None:
        n, k = len(self.flags), len(self.names)
        shapes = (self.concentration.shape, self.covariance.shape, self.bound.shape)
        if shapes != ((n, k), (n, k, k), (n, k, k)):
            raise SettingsError(
                f"got shapes {shapes} for {n} spectra of {k} names; wanted (n, k), (n, k, k), (n, k, k)"
            )

    @property
    def sd(self) -> Floats:
        """(n, k) standard deviations of the method and of the scale together."""
        both = self.covariance if self.unknown_scale is None else self.covariance + self.unknown_scale
        return np.asarray(np.sqrt(np.einsum("nkk->nk", both)))

    @property
    def crlb(self) -> Floats:
        """(n, k) Cramér-Rao bounds, as standard deviations."""
        return np.asarray(np.sqrt(np.einsum("nkk->nk", self.bound)))

    @property
    def quantifiable(self) -> NDArray[np.bool_]:
        """(n, k) whether the standard deviation is below three tenths of the value, and the method's own variance below
        half of the prior's.
        """
        sure, prior = self.sd < LEAST_SURE * self.concentration, self.prior_covariance
        own = np.einsum("nkk->nk", self.covariance)
        return np.asarray(sure if prior is None else sure & (own < LEAST_LEARNT * np.diag(prior)))

    def with_sums(self) -> "Quantities":
        """The same with the sums of `targets.SUMS` of which all components are there, each as a further name."""
        sums = {name: parts for name, parts in SUMS.items() if set(parts) <= set(self.names)}
        return self.combined({**{name: (name,) for name in self.names}, **sums})

    def combined(self, sums: Mapping[str, Sequence[str]]) -> "Quantities":
        """Sums of components by name, with their covariance; SettingsError where a part is missing."""
        missing = sorted({part for parts in sums.values() for part in parts} - set(self.names))
        if missing:
            raise SettingsError(f"got sums of {', '.join(missing)}, which are not among {', '.join(self.names)}")
        mix = np.array([[float(name in parts) for name in self.names] for parts in sums.values()])
        prior = self.prior_covariance
        return Quantities(
            names=tuple(sums),
            method=self.method,
            unit=self.unit,
            concentration=self.concentration @ mix.T,
            covariance=mix @ self.covariance @ mix.T,
            bound=mix @ self.bound @ mix.T,
            flags=self.flags,
            prior_covariance=None if prior is None else mix @ prior @ mix.T,
            vector=self.vector,
            unknown_scale=None if self.unknown_scale is None else mix @ self.unknown_scale @ mix.T,
        )

    def with_lipids(self, factor: ArrayLike, *, unknown: tuple[float, float, float]) -> "Quantities":
        """The same with lipids times a factor, one or one a spectrum (n,): they relax unlike the metabolites by which
        spectra were scaled. The prior is scaled by the mean factor. In mM, what is not known of the scale is added:
        shares of all values, and beyond it of metabolites and of lipids (`water_scaling.unknown_shares`).
        """
        lipid = np.isin(self.names, (*LIPIDS5, *LCM5))
        each = np.where(lipid, np.broadcast_to(np.asarray(factor, float), len(self.flags))[:, None], 1.0)
        both, mean, value = each[:, :, None] * each[:, None, :], each.mean(axis=0), self.concentration * each
        every, metabolites, lipids = np.square(unknown)
        alike = every + np.where(lipid[:, None] == lipid, np.where(lipid, lipids, metabolites), 0.0)
        scale = alike * value[:, :, None] * value[:, None, :] if self.unit == "mM" else None
        prior = self.prior_covariance
        return replace(
            self,
            concentration=value,
            covariance=self.covariance * both,
            bound=self.bound * both,
            prior_covariance=None if prior is None else prior * np.outer(mean, mean),
            unknown_scale=scale,
        )

    def to_table(self) -> pd.DataFrame:
        """A row a spectrum and target (COLUMNS); where not quantifiable, `value` is NaN and `reported` says why.

        The index counts spectra from 0; `crlb_percent` is of the value. Sums are there after `with_sums`.
        """
        places = [(spectrum, target) for spectrum in range(len(self.flags)) for target in range(len(self.names))]
        rows = [self._row(*place) for place in places]
        return pd.DataFrame(rows, columns=list(COLUMNS), index=[spectrum for spectrum, _ in places])

    def _row(self, spectrum: int, target: int) -> tuple[object, ...]:
        value, sd, crlb = (float(each[spectrum, target]) for each in (self.concentration, self.sd, self.crlb))
        share, unsure = (each / value if value > 0 else np.inf for each in (crlb, sd))
        reported = f"{value:.3g} ± {sd:.2g} {self.unit}"
        if not self.quantifiable[spectrum, target]:
            reported, value = f"not quantifiable: {_reason(unsure)}", np.nan
        flags = "; ".join(self.flags[spectrum])
        return self.names[target], value, self.unit, sd, crlb, 100 * share, reported, flags


def as_scores(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a predictions table of those of `Quantities.to_table`, to which patient_id and specimen_id were added."""
    return table[["patient_id", "specimen_id"]].assign(
        task="quantities",
        endpoint=table["unit"].map({unit: task.endpoint for unit, task in TASKS.items()}),
        horizon_months=np.nan,
        class_or_quantity=table["target"],
        score=table["value"],
        reason=table["reported"].where(table["value"].isna()),
    )


def _reason(unsure: float) -> str:
    if not np.isfinite(unsure):
        return "nothing found"
    if unsure >= LEAST_SURE:
        return f"the standard deviation is {unsure:.0%} of the value"
    return "the spectrum adds little to the prior"


def quantities_of(fit: Fit, *, method: Method, unit: Unit, prior: GaussianPrior | None = None) -> Quantities:
    """The quantities of a fit; with a `prior`, also which are no better determined than by it.

    The bound is that of the spectrum alone, whatever the prior. It and the covariance grow with chi² where that is
    above 1, the covariance also by `model_error` and so far that intervals hold another minimum that is nearly as good.
    Flags name fits that did not converge, spectra with such minima or that the model does not describe, and a phase or
    width that ran to its limit.
    """
    k, excess = len(fit.model.names), np.maximum(1, fit.chi2)[:, None, None]
    own = excess * fit.covariance[:, :k, :k]
    return Quantities(
        names=fit.model.names,
        method=method,
        unit=unit,
        concentration=fit.concentration,
        covariance=own + model_error(fit) + fit.rival[:, :, None] * fit.rival[:, None, :],
        bound=own if prior is None else excess * _bound(fit, prior),
        flags=tuple(_flags(fit, row) for row in range(len(fit.concentration))),
        prior_covariance=None if prior is None else prior.covariance_mm,
        vector=fit.parameters.vector,
    )


def _bound(fit: Fit, prior: GaussianPrior) -> Floats:
    """(n, k, k) of the spectra alone, but for the shifts, which are constrained as in the prior."""
    penalty = SoftConstraints(shift_sd_hz=prior.nonlinear["shift_hz"][1]).penalty(fit.model, fit.concentration)
    return of_information(fit.information, model=fit.model, penalty=penalty).covariance


def _flags(fit: Fit, row: int) -> tuple[str, ...]:
    found = []
    if not fit.converged[row]:
        found.append(f"not converged in {fit.iterations[row]} steps")
    if fit.chi2[row] > WORST_CHI2:
        found.append(f"the model does not describe the spectrum: chi² {fit.chi2[row]:.1f} per degree of freedom")
    apart = np.abs(fit.rival[row]) / fit.sd[row]
    if apart.max() > 1:
        found.append(two_fits(fit.model.names, apart))
    at_limit = fit.at_limit[row]
    if at_limit:
        found.append(f"at its limit: {', '.join(at_limit)}")
    return tuple(found)


def two_fits(names: Sequence[str], apart: Floats) -> str:
    """The flag of another minimum that is nearly as good, `apart` (k,) standard deviations away in these quantities."""
    named = [names[place] for place in np.argsort(-apart, kind="stable")[:3] if apart[place] > 1]
    return f"another fit is nearly as good and differs in {', '.join(named)}: intervals hold both"
