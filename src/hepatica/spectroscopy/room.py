"""Room: what every system of liver 1H-MR spectra shares: spectra of one acquisition in, scores of spectra out."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from hepatica.cohort import Cohort
from hepatica.learn.images import as_network_input
from hepatica.protocol.plain import infer_regions, log_odds
from hepatica.protocol.records import Room
from hepatica.saliency import flattened
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.cohorts.spectra import prepare as prepare_spectra
from hepatica.spectroscopy.cohorts.spectrum_picture import draw_spectrum
from hepatica.spectroscopy.measures import TOLERANCES, measure
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.phantom import phantom_spectra


def prepare(cohort: Cohort, settings: SpectralPlan, folder: Path) -> SpectraStore:
    """Spectra preprocessed and brought to the acquisition of the settings; others are refused."""
    return prepare_spectra(cohort.specimens_of("spectrum"), acquisition=settings.acquisition, folder=folder)


def saliency(network: Any, images: np.ndarray) -> np.ndarray:
    """How far the log-odds move where a stretch of the spectrum is made straight."""
    return flattened(network, as_network_input(torch.from_numpy(images)), target=log_odds)


SPECTRA: Room[SpectralPlan, SpectraStore] = Room(
    modality="spectrum",
    region="spectrum",
    extra="spectroscopy",
    plan=SpectralPlan,
    trial={"members": 1},
    shortest={"per_epoch": 512, "held_out": 256, "epochs": 2, "width": 4, "hidden": 32, "signature": 16},
    prepare=prepare,
    measure=measure,
    tolerances=TOLERANCES,
    infer=infer_regions,
    saliency=saliency,
    draw=draw_spectrum,
    phantom=phantom_spectra,
)
"""1H-MR spectra of the liver."""
