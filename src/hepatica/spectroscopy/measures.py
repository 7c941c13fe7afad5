"""Measures: what tells 1H spectra of the liver from others: where their signal lies, and their quality."""

from itertools import pairwise

import numpy as np
import pandas as pd

from hepatica.spectroscopy.cohorts.spectra import SpectraStore

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
