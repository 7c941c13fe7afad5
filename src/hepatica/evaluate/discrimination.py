"""Discrimination: how well scores tell patients with the event from those without, over all cut-offs."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score

from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.inputs import Booleans, Codes, Floats, both_classes, codes, numbers, patients_with, sum_by
from hepatica.evaluate.intervals import difference_limits, two_sided_p, within_unit

DELONG = "DeLong, logit scale"
CLUSTERED = "DeLong clustered by patient (Obuchowski), logit scale"


def auroc(label: ArrayLike, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Area under the ROC curve: how often a patient with the event scores higher than one without, ties half.

    `label` (n,) is 1 for patients with the event, `score` (n,) is higher for the likelier. Variance of DeLong 1988
    (doi 10.2307/2531595) in O(n log n), with `group` (n,) that of Obuchowski 1997 (doi 10.2307/2533958) for several
    rows a patient; `n` then counts patients. The interval is normal on the logit scale, hence within 0 and 1; see
    `within_unit` for perfect separation. Raises EvaluationError on one class or values that are not finite.
    """
    positive = both_classes(label)
    placed = placements(positive, numbers(score, name="score", like=positive.size))
    patient = codes(group, like=positive.size)
    value = float(placed[positive].mean())
    low, high = within_unit(value, variance=auroc_variance(positive, placed, patient), units=_rarer(positive, patient))
    method = DELONG if group is None else CLUSTERED
    return Estimate(value=value, low=low, high=high, n=int(patient.max()) + 1, method=method)


def compare_auroc(
    label: ArrayLike, *, score_a: ArrayLike, score_b: ArrayLike, group: ArrayLike | None = None
) -> Comparison:
    """Paired DeLong test of two scores of the same patients: AUROC of a minus that of b, its interval and P.

    With `group` (n,) the rows of one patient count together (Obuchowski 1997). Raises EvaluationError as `auroc` does.
    """
    positive = both_classes(label)
    apart = placements(positive, numbers(score_a, name="score_a", like=positive.size)) - placements(
        positive, numbers(score_b, name="score_b", like=positive.size)
    )
    patient = codes(group, like=positive.size)
    value = float(apart[positive].mean())
    variance = auroc_variance(positive, apart, patient)
    low, high = difference_limits(value, variance=variance)
    method = "paired DeLong" if group is None else "paired DeLong clustered by patient (Obuchowski)"
    difference = Estimate(value=value, low=low, high=high, n=int(patient.max()) + 1, method=method)
    return Comparison(difference=difference, p=two_sided_p(value, variance=variance))


def placements(positive: Booleans, score: Floats) -> Floats:
    """DeLong's placement values, one a row, ties half.

    Of a row with the event: the share of rows without it that score lower. Of a row without: the share of rows with
    it that score higher. Either mean is the AUROC.
    """
    order = np.argsort(score)  # sorted once, so that the searches below walk through memory in order
    event, ranked, placed = positive[order], score[order], np.empty_like(score)
    placed[order[event]] = _share_below(ranked[event], among=ranked[~event])
    placed[order[~event]] = 1 - _share_below(ranked[~event], among=ranked[event])
    return placed


def _share_below(values: Floats, *, among: Floats) -> Floats:
    twice = np.searchsorted(among, values, side="left") + np.searchsorted(among, values, side="right")
    return twice / (2 * among.size)


def auroc_variance(positive: Booleans, placed: Floats, patient: Codes) -> float:
    """Variance of the mean placement (or of the mean difference of two); 0 where one kind has a single patient.

    Obuchowski's estimator; with one row a patient the covariance vanishes and what is left is DeLong's.
    """
    if _rarer(positive, patient) < 2:
        return 0.0
    with_event, without = (_patient_sums(placed, rows, patient) for rows in (positive, ~positive))
    m, n = positive.sum(), (~positive).sum()
    variance = _mean_variance(with_event, positive, patient) + _mean_variance(without, ~positive, patient)
    k = with_event.size
    return float(variance + 2 * k / (k - 1) * (with_event @ without) / (m * n))


def _patient_sums(placed: Floats, rows: Booleans, patient: Codes) -> Floats:
    """Each patient's sum of deviations from the mean over `rows`."""
    deviations = np.where(rows, placed - placed[rows].mean(), 0.0)
    return sum_by(patient, deviations)


def _mean_variance(sums: Floats, rows: Booleans, patient: Codes) -> float:
    k = patients_with(rows, patient)
    return float(sums @ sums * k / (k - 1) / rows.sum() ** 2)


def _rarer(positive: Booleans, patient: Codes) -> int:
    """Patients of the rarer kind: the fewer of those that have a row with and those that have a row without."""
    return min(patients_with(rows, patient) for rows in (positive, ~positive))


def average_precision(label: ArrayLike, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Average precision, the area under the precision-recall curve summed in steps (scikit-learn).

    Interval: the binomial one on the logit scale with as many trials as patients with the event (Boyd, Eng and Page
    2013, doi 10.1007/978-3-642-40994-3_29). Chance is the share of patients with the event, not 0.5. Raises
    EvaluationError on one class or values that are not finite.
    """
    positive = both_classes(label)
    patient = codes(group, like=positive.size)
    value = float(average_precision_score(positive, numbers(score, name="score", like=positive.size)))
    trials = patients_with(positive, patient)
    low, high = within_unit(value, variance=value * (1 - value) / trials, units=trials)
    method = "binomial over patients with the event (Boyd), logit scale"
    return Estimate(value=value, low=low, high=high, n=int(patient.max()) + 1, method=method)
