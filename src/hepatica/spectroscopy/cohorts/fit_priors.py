"""Fit priors: what the MAP fit finds in the first patients of each class, from which spectra of a class are simulated.

As Bae 2025 (doi 10.2463/mrms.mp.2025-0064) simulated from the first 10 + 10 patients. Ten patients leave means and
covariances uncertain, and the samples show it: an inverse-Wishart prior on the covariance makes the next patient's
logarithms a Student's t about the mean. Widths, SNR, phases and baseline are those of all patients, whatever their
class, so that no classifier can rely on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.spectroscopy.cohorts.millimolar import millimolar
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.fitting.least_squares import map_fit
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.networks.qcnn_quantify import tcho_snr
from hepatica.spectroscopy.priors.concentrations import FromPatients, Measured
from hepatica.spectroscopy.priors.priors import NUISANCES, Priors

Floats = NDArray[np.float64]

FEWEST = 4
"""Patients of a class (ours): fewer do not determine a covariance."""

_FLOOR_SD = 2.0
"""Standard deviations below the ranges' mean logarithm at which an estimate counts as nothing seen (ours)."""


def fit_priors(
    concentrations: NDArray[Any],
    classes: NDArray[Any],
    *,
    based_on: Priors,
    nuisance: Mapping[str, NDArray[Any]],
    height: float | None = None,
    nuisance_per_class: bool = False,
) -> dict[int, Priors]:
    """Priors of each class from estimates (n, k) in mM of `based_on`'s components, and the class (n,) of each patient.

    `nuisance` has measured values (n,) by names of NUISANCES (`lorentz_hz`, `gauss_hz`, `snr`, `phase0_deg`, …), `snr`
    of the peak that `based_on.snr_peak` says, or of `height` where that is given; what is left out stays as `based_on`
    has it. Give a `height`: an SNR of each spectrum's own peak, pooled, would give the class with more choline more
    noise, which no magnet does and a classifier would find. NaN are patients in whom it
    was not measured. Estimates of 0 are raised to a floor, for they have no logarithm. `nuisance_per_class` keeps the
    nuisance of each class apart: for the ablation that shows what a classifier could cheat with. SettingsError on
    arrays that do not fit, numbers that are none, and classes of fewer than FEWEST patients.
    """
    _check(concentrations, classes, based_on=based_on, nuisance=nuisance)
    floor = np.exp(based_on.log_mean - _FLOOR_SD * np.sqrt(np.diag(based_on.log_covariance)))
    logs = np.log(np.maximum(concentrations, floor))
    return {
        int(label): replace(
            based_on,
            title=f"{based_on.title}; class {label:g} of {(classes == label).sum()} patients",
            concentrations=next_patient(logs[classes == label], names=based_on.names),
            height=height,
            nuisance=_measured(based_on, nuisance, (classes == label) | (not nuisance_per_class)),
        )
        for label in np.unique(classes)
    }


def next_patient(logs: Floats, *, names: tuple[str, ...]) -> FromPatients:
    """The posterior predictive of a next patient after the logarithms (n, k) of n.

    The covariance S is that of Ledoit and Wolf (J Multivar Anal 2004;88:365, doi 10.1016/S0047-259X(03)00096-4), which
    is of full rank where n < k. A flat prior on the mean and, after the patients, an inverse-Wishart distribution of
    the covariance with n + k + 1 degrees of freedom and mean S (ours) make the next logarithms a t of n + 2 degrees of
    freedom about the mean, of covariance S (1 + 1/n) (Gelman, Bayesian Data Analysis, 3rd ed., 3.6).
    """
    from sklearn.covariance import LedoitWolf

    n = len(logs)
    covariance = LedoitWolf().fit(logs).covariance_ * n / (n - 1)
    return FromPatients(
        names=names, log_mean=logs.mean(axis=0), log_covariance=covariance * (1 + 1 / n), freedom=n + 2.0
    )


def _measured(based_on: Priors, nuisance: Mapping[str, NDArray[Any]], chosen: NDArray[np.bool_]) -> dict[str, Any]:
    found = {name: np.asarray(values, float)[chosen] for name, values in nuisance.items()}
    return {
        **based_on.nuisance,
        **{name: Measured(values=tuple(each[np.isfinite(each)].tolist())) for name, each in found.items()},
    }


def _check(
    concentrations: NDArray[Any], classes: NDArray[Any], *, based_on: Priors, nuisance: Mapping[str, NDArray[Any]]
) -> None:
    wanted = (len(classes), len(based_on.names))
    if concentrations.shape != wanted:
        raise SettingsError(
            f"got concentrations {concentrations.shape}, wanted one row per class and one column per name {wanted}"
        )
    if not (np.isfinite(concentrations).all() and (concentrations >= 0).all()):
        raise SettingsError("got concentrations that are negative or not numbers; leave those patients out")
    labels, counts = np.unique(classes, return_counts=True)
    if counts.min(initial=FEWEST) < FEWEST or len(labels) < 1:
        given = ", ".join(f"{count} of class {label:g}" for label, count in zip(labels, counts, strict=True))
        raise SettingsError(f"got {given or 'no patients'}, wanted {FEWEST} or more of each")
    for name, values in nuisance.items():
        _check_nuisance(name, np.asarray(values, float), classes)


def _check_nuisance(name: str, values: Floats, classes: NDArray[Any]) -> None:
    if name not in NUISANCES:
        raise SettingsError(f"got the nuisance {name}, wanted one of {', '.join(NUISANCES)}")
    if values.shape != classes.shape:
        raise SettingsError(f"got {name} of {values.shape}, wanted one value a patient {classes.shape}")
    if any(not np.isfinite(values[classes == label]).any() for label in np.unique(classes)):
        raise SettingsError(f"got no {name} of one of the classes; leave {name} out")
    least, most = NUISANCES[name]
    if np.nanmin(values) < least or np.nanmax(values) > most:
        raise SettingsError(
            f"got {name} from {np.nanmin(values):g} to {np.nanmax(values):g}, wanted {least:g} to {most:g}"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedPatients:
    """A row a patient: concentrations in mM by component, as the signal model has them, and nuisance by names of
    `priors.NUISANCES`; means over their spectra. `snr` is of `height`, the median tCho peak of all of them.
    """

    concentrations: pd.DataFrame
    nuisance: pd.DataFrame
    height: float

    @property
    def measured(self) -> Mapping[str, Floats]:
        """The nuisance as `fit_priors` takes it."""
        return {str(name): column.to_numpy(float) for name, column in self.nuisance.items()}


def fit_patients(store: SpectraStore, *, model: SignalModel, priors: Priors) -> FittedPatients:
    """Fit the spectra of all patients that have a water reference, or raise SpecimenError where none has.

    Lipids are left as the signal model sees them, so that spectra simulated from these are like those fitted.
    """
    scaled = millimolar(store)
    rows = scaled.scaled
    if not rows.any():
        raise SpecimenError(
            f"none of {len(store)} spectra has a usable water reference, without which nothing is in mM: name the files"
            " in the column water of specimens.csv"
        )
    noise_sd = scaled.noise_sd[rows]
    fit = map_fit(
        scaled.values[rows], model=model, prior=gaussian_prior_of(priors, names=model.names), noise_sd=noise_sd
    )
    found, patients = fit.parameters, store.index["patient_id"].to_numpy()[rows]
    height = float(np.median(tcho_snr(found.vector, model=model, noise_sd=noise_sd) * noise_sd))
    nuisance = pd.DataFrame(
        {
            "lorentz_hz": found.lorentz_hz,
            "gauss_hz": found.gauss_hz,
            "common_hz": found.common_hz,
            "phase0_deg": np.rad2deg(found.phase0),
            "phase1_deg_per_ppm": np.rad2deg(found.phase1),
            "snr": height / noise_sd,
        }
    )
    for name, values in nuisance.items():
        nuisance[name] = values.clip(*NUISANCES[str(name)])
    concentrations = pd.DataFrame(fit.concentration, columns=list(model.names))
    return FittedPatients(
        concentrations=concentrations.groupby(patients).mean(),
        nuisance=nuisance.groupby(patients).mean(),
        height=height,
    )
