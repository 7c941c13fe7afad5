"""Fitted patients: what the MAP fit finds in the spectra of patients, from which a class is then simulated."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.cohorts.millimolar import millimolar
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.fitting.gaussian_prior import belief_of
from hepatica.spectroscopy.fitting.map_fit import map_fit
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.networks.qcnn_quantify import tcho_snr
from hepatica.spectroscopy.priors.priors import NUISANCES, Priors

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedPatients:
    """A row a patient: concentrations in mM by component, as the signal model has them, and nuisance by names of
    `priors.NUISANCES`; means over his spectra. `snr` is of `height`, the median tCho peak of all of them.
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
    fit = map_fit(scaled.values[rows], model=model, belief=belief_of(priors, names=model.names), noise_sd=noise_sd)
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
