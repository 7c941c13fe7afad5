"""Agreement: how far measured quantities lie from known ones, and between which limits most differences fall."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import f, nct

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats, numbers
from hepatica.evaluate.intervals import NO_SPREAD, Z, sum_variance
from hepatica.evaluate.mean import mean_of
from hepatica.evaluate.patients import Patients, patients_of


def quantity_metrics(measured: ArrayLike, *, true: ArrayLike, group: ArrayLike | None = None) -> dict[str, Estimate]:
    """Agreement of (n,) `measured` with (n,) `true` quantities, in their own unit.

    bias, the mean of measured - true; limits_low and limits_high, `limits_of_agreement`; rmse and mae, the root mean
    square and the mean of the absolute differences; concordance, `concordance_correlation`. `group` (n,) names the
    patient of each row when there are several: all statistics are of rows, all intervals rest on patients. Raises
    EvaluationError on values that are not finite.
    """
    known = numbers(true, name="true")
    found = numbers(measured, name="measured", like=known.size)
    patients = patients_of(group, rows=known.size)
    difference = found - known
    square = mean_of(difference**2, patients, scale="log")
    low, high = (None if limit is None else float(np.sqrt(limit)) for limit in (square.low, square.high))
    return {
        "bias": mean_of(difference, patients),
        **limits_of_agreement(difference, patients),
        "rmse": replace(square, value=float(np.sqrt(square.value)), low=low, high=high, method=f"root {square.method}"),
        "mae": mean_of(np.abs(difference), patients, scale="log"),
        "concordance": concordance_correlation(found, known, patients),
    }


def limits_of_agreement(difference: Floats, patients: Patients) -> dict[str, Estimate]:
    """Limits between which 95 % of differences (n,) fall when they are normal: bias ± 1.96 SD, of one difference each.

    Bland and Altman 1986 (doi 10.1016/S0140-6736(86)90837-8); with several rows a patient the SD is the root of the
    variance between patients plus that within them, by one-way analysis of variance (Bland and Altman 2007, doi
    10.1080/10543400701329422). The interval of either limit is by the noncentral t distribution: exact with one row
    a patient (Carkeet 2015, doi 10.1097/OPX.0000000000000513), else with Satterthwaite's degrees of freedom (Mee and
    Owen 1983, J Am Stat Assoc 78:901).
    """
    names, n = ("limits_low", "limits_high"), patients.count
    bias = float(difference.mean())
    error = np.sqrt(sum_variance(patients.sums((difference - bias) / difference.size)))
    if error**2 <= NO_SPREAD * np.abs(difference).max() ** 2:
        return dict.fromkeys(names, undefined("the differences do not vary among patients", n=n))
    sd, degrees = _spread(difference - bias, patients)
    near, far = nct.ppf([0.025, 0.975], degrees, Z * sd / error) * error
    margin = Z * sd
    kind = "exact" if patients.of_row is None else "Satterthwaite"
    method = f"bias ± 1.96 SD, noncentral t, {kind}{patients.clustered}"
    limits = ((-margin, -far, -near), (margin, near, far))
    return {
        name: Estimate(value=bias + value, low=float(bias + low), high=float(bias + high), n=n, method=method)
        for name, (value, low, high) in zip(names, limits, strict=True)
    }


def _spread(centred: Floats, patients: Patients) -> tuple[float, float]:
    """SD of one difference of a new patient and its degrees of freedom, by one-way analysis of variance."""
    rows, k = centred.size, patients.count
    size, total = patients.sums(np.ones(rows)), patients.sums(centred)
    squares = np.array([(total**2 / size).sum(), centred @ centred - (total**2 / size).sum()])  # between, within
    degrees = np.array([k - 1, max(rows - k, 1)])
    each = (rows - (size @ size) / rows) / (k - 1)  # rows a patient, as they count in the mean square between patients
    parts = np.array([1 / each, 1 - 1 / each]) * squares / degrees
    return float(np.sqrt(parts.sum())), float(parts.sum() ** 2 / (parts**2 / degrees).sum())


def concordance_correlation(found: Floats, known: Floats, patients: Patients) -> Estimate:
    """Lin's concordance correlation of (n,) and (n,): 1 when all pairs lie on the line of identity.

    2 cov / (var + var + (difference of means)²), moments with n below (Lin 1989, doi 10.2307/2532051). Interval on
    Fisher's z from what each patient adds (King and Chinchilli 2001, Stat Med 20:2131, have it as a U-statistic).
    """
    origin = known.mean()
    x, y = found - origin, known - origin
    shared, apart = (x - x.mean()) * (y - y.mean()), x.var() + y.var() + (x.mean() - y.mean()) ** 2
    if apart <= NO_SPREAD * max(np.abs(found).max(), np.abs(known).max()) ** 2:
        return undefined("the quantities do not vary", n=patients.count)
    value = float(2 * shared.mean() / apart)
    more_apart = x**2 + y**2 - 2 * (x * y.mean() + y * x.mean())
    influence = (2 * (shared - shared.mean()) - value * (more_apart - more_apart.mean())) / apart / x.size
    variance = sum_variance(patients.sums(influence))
    if variance < NO_SPREAD or abs(value) >= 1:
        method = "no interval: the sample shows no variation among patients"
        return Estimate(value=value, low=None, high=None, n=patients.count, method=method)
    margin = Z * np.sqrt(variance) / (1 - value**2)
    low, high = np.tanh(np.arctanh(value) + np.array([-margin, margin]))
    method = f"Lin's concordance correlation, Fisher z{patients.clustered}"
    return Estimate(value=value, low=float(low), high=float(high), n=patients.count, method=method)


def intraclass_correlation(values: ArrayLike) -> Estimate:
    """ICC(1,1) of measurements (subjects, repeats): the share of their variance that is between subjects.

    One-way random effects, exact interval by F (Shrout and Fleiss 1979, doi 10.1037/0033-2909.86.2.420; McGraw and Wong
    1996, doi 10.1037/1082-989X.1.1.30). Undefined where nothing varies. EvaluationError for fewer than two subjects or
    repeats, or values that are not finite.
    """
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all():
        raise EvaluationError(
            f"got measurements of shape {table.shape}, wanted two subjects or more with two or more each"
        )
    n, k = table.shape
    between, within = k * table.mean(axis=1).var(ddof=1), table.var(axis=1, ddof=1).mean()
    if between + within <= NO_SPREAD * np.abs(table).max() ** 2:
        return undefined("the measurements do not vary", n=n)
    degrees = n - 1, n * (k - 1)
    ratio = between / within if within > 0 else np.inf
    ends = (ratio, ratio / f.ppf(0.975, *degrees), ratio * f.ppf(0.975, *degrees[::-1]))
    value, low, high = (float((each - 1) / (each + k - 1)) if np.isfinite(each) else 1.0 for each in ends)
    return Estimate(value=value, low=low, high=high, n=n, method="ICC(1,1), F")
