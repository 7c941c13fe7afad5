"""Measures: where a spectrum's signal lies tells a brain's from a liver's."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort.applicability import judge, learn_domain
from hepatica.spectroscopy.room import BANDS_PPM, TOLERANCES, measure

PPM = np.linspace(0.4, 4.2, 400)


def store(**peaks_ppm: float) -> Any:
    """Spectra of one peak each, on a flat floor."""
    values = np.stack([1 / (1 + ((PPM - place) / 0.1) ** 2) for place in peaks_ppm.values()]).astype(complex)
    index = pd.DataFrame({"specimen_id": list(peaks_ppm), "snr": 100.0, "linewidth_hz": 12.0})

    class Store(SimpleNamespace):
        def __len__(self) -> int:
            return len(values)

        def values(self, indices: np.ndarray) -> np.ndarray:
            return values[indices]

    return Store(ppm=PPM, index=index)


def test_shares_of_the_bands_sum_to_one() -> None:
    found = measure(store(a=1.3, b=3.2))
    assert set(found) == set(TOLERANCES)
    np.testing.assert_allclose(found[list(BANDS_PPM)].sum(axis=1), 1, atol=0.01)
    assert found["share_0.9_to_1.4_ppm"]["a"] > 0.5 > found["share_0.9_to_1.4_ppm"]["b"]


def test_a_spectrum_whose_signal_lies_elsewhere_is_unusual() -> None:
    domain = learn_domain(measure(store(a=1.28, b=1.3, c=1.32)), tolerances=TOLERANCES)
    found = judge(measure(store(liver=1.31, brain=2.0)), domain=domain)
    assert found["applicability"].to_dict() == {"liver": "in_domain", "brain": "unusual"}


def test_a_spectrum_without_signal_to_noise_is_not_counted_by_it() -> None:
    spectra = store(a=1.3)
    spectra.index["snr"] = 0.0
    assert measure(spectra)["snr_log2"].isna().all()
