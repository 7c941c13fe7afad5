"""Room: what every system of liver 1H-MR spectra shares: spectra of one acquisition in, scores of spectra out."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from hepatica.cohort import Cohort
from hepatica.learn.images import as_network_input
from hepatica.protocol.plain import infer_regions, log_odds
from hepatica.protocol.records import Room
from hepatica.saliency import flattened
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.cohorts.spectra import prepare as prepare_spectra
from hepatica.spectroscopy.cohorts.spectrum_picture import draw_spectrum
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.phantom import phantom_spectra


def prepare(cohort: Cohort, settings: SpectralPlan, folder: Path) -> SpectraStore:
    """Spectra preprocessed and brought to the acquisition of the settings; others are refused."""
    return prepare_spectra(cohort.specimens_of("spectrum"), acquisition=settings.acquisition, folder=folder)


def saliency(network: Any, images: np.ndarray) -> np.ndarray:
    """How far the log-odds move where a stretch of the spectrum is made straight."""
    return flattened(network, as_network_input(torch.from_numpy(images)), target=log_odds)


EDGES_PPM = (0.4, 0.9, 1.4, 1.9, 2.4, 2.9, 3.4, 4.2)
"""Edges of the bands whose signal is measured (ours)."""

BANDS_PPM = {f"share_{low}_to_{high}_ppm": (low, high) for low, high in pairwise(EDGES_PPM)}

TOLERANCES = {**dict.fromkeys(BANDS_PPM, 0.1), "snr_log2": 1.5, "linewidth_hz_log2": 1.0}
"""How far spectra of another hospital may lie beyond those of training (ours; docs/studies/applicability.md)."""


def measure(store: SpectraStore) -> pd.DataFrame:
    """One row a specimen, by specimen_id: the share of the modulus of its window that lies in each band, log2 of the
    signal-to-noise ratio and of the linewidth in Hz; the mean over its spectra.
    """
    modulus = np.abs(store.values(np.arange(len(store))))
    modulus /= modulus.sum(axis=1, keepdims=True)
    bands = {
        name: modulus[:, (store.ppm >= low) & (store.ppm < high)].sum(axis=1) for name, (low, high) in BANDS_PPM.items()
    }
    quality = {
        f"{name}_log2": np.log2(store.index[name].where(store.index[name] > 0)) for name in ("snr", "linewidth_hz")
    }
    table = pd.DataFrame({**bands, **quality})
    return table.groupby(store.index["specimen_id"].to_numpy(), sort=False).mean().rename_axis("specimen_id")


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
