"""Mean: of one number a row, with limits that rest on patients."""

from dataclasses import replace
from typing import Literal

import numpy as np

from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.intervals import NO_SPREAD, quantile, sum_variance, within_unit
from hepatica.evaluate.patients import Patients

Scale = Literal["linear", "log", "logit"]
"""Where the limits are symmetric: `log` for numbers of 0 or more, `logit` for shares from 0 to 1."""


def mean_of(values: Floats, patients: Patients, *, scale: Scale = "linear") -> Estimate:
    """Mean over rows (n,), the variance from the sums of patients.

    Limits by Student's t with one degree of freedom fewer than patients, on the scale named. Without variation among
    patients there is no interval, but for shares, which then have that of `within_unit`.
    """
    value, n = float(values.mean()), patients.count
    variance = sum_variance(patients.sums((values - value) / values.size))
    found = Estimate(value=value, low=None, high=None, n=n, method=f"mean, {scale} scale{patients.clustered}")
    if scale == "logit":
        low, high, how = within_unit(value, variance=variance, units=n, degrees=n - 1, method=found.method)
        return replace(found, low=low, high=high, method=how)
    if variance <= NO_SPREAD * np.abs(values).max() ** 2:
        return replace(found, method="mean, no interval: the sample shows no variation among patients")
    margin = quantile(n - 1) * float(np.sqrt(variance))
    if scale == "linear":
        return replace(found, low=value - margin, high=value + margin)
    factor = float(np.exp(margin / value))
    return replace(found, low=value / factor, high=value * factor)
