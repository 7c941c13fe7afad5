"""Ratios: what quantities of one spectrum are to creatine, to lipids and to water, with intervals."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.evaluate.intervals import Z
from hepatica.spectroscopy.fitting.quantities import Quantities

DENOMINATORS = ("tCr", "Cr", "Lipids", "water")
"""What others are divided by, where it is reported; creatine itself only where there is no sum with phosphocreatine."""

UNITS = {"water": "mmol/mol"}
"""Of ratios to these; the others have none."""

COLUMNS = ("target", "value", "low", "high", "unit")


def ratios(found: Quantities, *, water_mm: float | None = None) -> pd.DataFrame:
    """A row of COLUMNS a ratio of two reported quantities of the one spectrum; to water where its `water_mm` is given.

    95 % intervals are Fieller's, with the covariance of both, that of the scale included: what they share cancels.
    """
    names = (*found.names, "water")
    value = np.append(found.concentration[0], np.nan if water_mm is None else water_mm / 1000)
    covariance = np.zeros((len(names), len(names)))
    covariance[:-1, :-1] = found.covariance[0] + (0 if found.unknown_scale is None else found.unknown_scale[0])
    sure = [name for name, given in zip(names, [*found.quantifiable[0], water_mm is not None], strict=True) if given]
    rows = []
    for below in DENOMINATORS:
        for above in sure if below in sure and not (below == "Cr" and "tCr" in sure) else ():
            if above not in (below, "water"):
                both = [names.index(above), names.index(below)]
                limits = fieller(value[both], covariance=covariance[np.ix_(both, both)])
                ratio = value[both[0]] / value[both[1]]
                rows.append((f"{above}/{below}", ratio, *limits, UNITS.get(below, "")))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def fieller(value: NDArray[np.float64], *, covariance: NDArray[np.float64]) -> tuple[float, float]:
    """95 % limits of the first value (2,) over the second, which differs from 0, by their covariance (2, 2).

    Fieller 1954, doi 10.1111/j.2517-6161.1954.tb00159.x: the ratios at which their difference may be 0.
    """
    (square, product), (_, below) = np.outer(value, value) - Z**2 * covariance
    half = np.sqrt(max(product**2 - square * below, 0.0))
    return float((product - half) / below), float((product + half) / below)
