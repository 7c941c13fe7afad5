"""Discrimination: how well scores tell patients with the event from those without, over all cut-offs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score

from hepatica.evaluate.compiled import compiled
from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.inputs import Booleans, Floats, both_classes, numbers
from hepatica.evaluate.intervals import normal_comparison, within_unit
from hepatica.evaluate.patients import Patients, patients_of


def auroc(label: ArrayLike, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Area under the ROC curve: how often a patient with the event scores higher than one without, ties half.

    `label` (n,) is 1 for patients with the event, `score` (n,) is higher for the likelier. Variance of DeLong 1988
    (doi 10.2307/2531595) in O(n log n), with `group` (n,) that of Obuchowski 1997 (doi 10.2307/2533958) for several
    rows a patient; `n` then counts patients. The interval is normal on the logit scale, hence within 0 and 1; see
    `within_unit` for perfect separation. Raises EvaluationError on one class or values that are not finite.
    """
    positive = both_classes(label)
    patients = patients_of(group, rows=positive.size)
    placed = placements(positive, numbers(score, name="score", like=positive.size))
    value = float(placed[positive].mean())
    variance = auroc_variance(positive, placed, patients)
    low, high = within_unit(value, variance=variance, units=_rarer(positive, patients))
    method = "DeLong, logit scale" if group is None else "DeLong clustered by patient (Obuchowski), logit scale"
    return Estimate(value=value, low=low, high=high, n=patients.count, method=method)


def compare_auroc(
    label: ArrayLike, *, score_a: ArrayLike, score_b: ArrayLike, group: ArrayLike | None = None
) -> Comparison:
    """Paired DeLong test of two scores of the same patients: AUROC of a minus that of b, its interval and P.

    With `group` (n,) the rows of one patient count together (Obuchowski 1997). Raises EvaluationError as `auroc` does.
    """
    positive = both_classes(label)
    patients = patients_of(group, rows=positive.size)
    a, b = numbers(score_a, name="score_a", like=positive.size), numbers(score_b, name="score_b", like=positive.size)
    apart = placements(positive, a) - placements(positive, b)
    value = float(apart[positive].mean())
    variance = auroc_variance(positive, apart, patients)
    method = "paired DeLong" if group is None else "paired DeLong clustered by patient (Obuchowski)"
    return normal_comparison(value, variance=variance, n=patients.count, method=method)


def placements(positive: Booleans, score: Floats) -> Floats:
    """DeLong's placement values, one a row, ties half.

    Of a row with the event: the share of rows without it that score lower. Of a row without: the share of rows with
    it that score higher. Either mean is the AUROC.
    """
    placed: Floats = _place(np.argsort(score), positive, score)
    return placed


def _by_midranks(order: Any, positive: Any, score: Any) -> Any:
    """Walk through the scores from low to high, all rows of one score at a time."""
    n, events = score.size, positive.sum()
    placed = np.empty(n)
    first = events_before = 0
    while first < n:
        last, level = first, 0
        while last < n and score[order[last]] == score[order[first]]:
            level += positive[order[last]]
            last += 1
        events_below = events_before + level / 2
        others_below = (first + last) / 2 - events_below
        for row in order[first:last]:
            placed[row] = others_below / (n - events) if positive[row] else 1 - events_below / events
        first, events_before = last, events_before + level
    return placed


_place = compiled(_by_midranks)


def auroc_variance(positive: Booleans, placed: Floats, patients: Patients) -> float:
    """Variance of the mean placement (or of the mean difference of two); 0 where one kind has a single patient.

    Obuchowski's estimator; with one row a patient the covariance vanishes and what is left is DeLong's.
    """
    if _rarer(positive, patients) < 2:
        return 0.0
    with_event, without = (_mean_influence(placed, rows, patients) for rows in (positive, ~positive))
    k, m, n = patients.count, patients.having(positive), patients.having(~positive)
    return float(
        with_event @ with_event * m / (m - 1)
        + without @ without * n / (n - 1)
        + 2 * (with_event @ without) * k / (k - 1)
    )


def _mean_influence(placed: Floats, rows: Booleans, patients: Patients) -> Floats:
    """What each patient adds to the mean over `rows`."""
    chosen = placed[rows]
    influence = np.zeros_like(placed)
    influence[rows] = (chosen - chosen.mean()) / chosen.size
    return patients.sums(influence)


def _rarer(positive: Booleans, patients: Patients) -> int:
    """Patients of the rarer kind: the fewer of those that have a row with and those that have a row without."""
    return min(patients.having(positive), patients.having(~positive))


def average_precision(label: ArrayLike, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Average precision, the area under the precision-recall curve summed in steps (scikit-learn).

    Interval: the binomial one on the logit scale with as many trials as patients with the event (Boyd, Eng and Page
    2013, doi 10.1007/978-3-642-40994-3_29). Chance is the share of patients with the event, not 0.5. Raises
    EvaluationError on one class or values that are not finite.
    """
    positive = both_classes(label)
    patients = patients_of(group, rows=positive.size)
    found = average_precision_score(positive, numbers(score, name="score", like=positive.size))
    value = min(float(found), 1.0)  # its sum of steps can round to more
    trials = patients.having(positive)
    low, high = within_unit(value, variance=value * (1 - value) / trials, units=trials)
    method = "binomial over patients with the event (Boyd), logit scale"
    return Estimate(value=value, low=low, high=high, n=patients.count, method=method)
