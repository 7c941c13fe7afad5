"""First order: how the brightness of a lesion is distributed, wherever it lies (IBSI 3.3, UHIW, and 3.4, ZVCW)."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import kurtosis, skew

from hepatica.radiology.radiomics.aggregation import Counts, Floats, entropy

_NAMES = """mean variance skewness kurtosis median minimum p10 p90 maximum iqr range mean_absolute_dev
robust_mean_absolute_dev median_absolute_dev coef_of_variation quartile_coef_dispersion"""
_CODES: Mapping[str, str] = {
    "stat": "Q4LE ECT3 KE2A IPH6 Y12H 1GSF QG58 8DWT 84IY SALO 2OJQ 4FUA 1128 N72L 7TET 9S40",
    "int_hist": "X6K6 CH89 88K1 C3I7 WIFQ 1PR8 GPMT OZ0C 3NCY WR0O 5Z3W D2ZX WRZB 4RNL CWYJ SLWD",
}


def statistics(values: Floats) -> dict[str, float]:
    """Of the intensities (n,) of a lesion's voxels."""
    energy = float(values @ values)
    return _described(values, family="stat") | {
        "stat_energy_N8CA": energy,
        "stat_root_mean_square_5ZWQ": float(np.sqrt(energy / values.size)),
    }


def histogram(levels: Counts) -> dict[str, float]:
    """Of the grey levels (n,), from 1, of a lesion's voxels; of several commonest levels, that closest to the mean."""
    counts = np.bincount(levels)[1:]
    commonest = np.flatnonzero(counts == counts.max()) + 1
    share = counts / levels.size
    gradient = np.gradient(counts.astype(float)) if counts.size > 1 else np.zeros(1)
    return _described(levels.astype(float), family="int_hist") | {
        "int_hist_mode_AMMC": float(commonest[np.abs(commonest - levels.mean()).argmin()]),
        "int_hist_entropy_TLU2": float(entropy(share[None])[0]),
        "int_hist_uniformity_BJ5W": float(share @ share),
        "int_hist_max_gradient_12CE": float(gradient.max()),
        "int_hist_max_gradient_intensity_8E6O": float(gradient.argmax() + 1),
        "int_hist_min_gradient_VQB3": float(gradient.min()),
        "int_hist_min_gradient_intensity_RHQZ": float(gradient.argmin() + 1),
    }


def _described(x: Floats, *, family: str) -> dict[str, float]:
    low, first, median, third, high = np.percentile(x, [10, 25, 50, 75, 90])
    within = x[(x >= low) & (x <= high)]
    varies = x.min() < x.max()
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [
            x.mean(),
            x.var(),
            skew(x) if varies else 0.0,
            kurtosis(x) if varies else 0.0,
            median,
            x.min(),
            low,
            high,
            x.max(),
            third - first,
            np.ptp(x),
            np.abs(x - x.mean()).mean(),
            np.abs(within - within.mean()).mean(),
            np.abs(x - median).mean(),
            np.divide(x.std(), x.mean()),
            np.divide(third - first, third + first),
        ]
    names = zip(_NAMES.split(), _CODES[family].split(), strict=True)
    return {f"{family}_{name}_{code}": float(value) for (name, code), value in zip(names, found, strict=True)}
