"""Discrimination: how well scores tell patients with the event from those without, over all cut-offs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score

from hepatica.evaluate.compiled import compiled
from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.inputs import Booleans, Floats, numbers
from hepatica.evaluate.intervals import normal_comparison, sum_variance, within_unit
from hepatica.evaluate.observed import Observed, Outcome, observed
from hepatica.evaluate.patients import Patients


def auroc(label: Outcome, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Area under the ROC curve: how often a patient with the event scores higher than one without, ties half.

    `label` (n,) is 1 for patients with the event, `score` (n,) is higher for the likelier. Variance of DeLong 1988
    (doi 10.2307/2531595) in O(n log n), with `group` (n,) that of Obuchowski 1997 (doi 10.2307/2533958) for several
    rows a patient; `n` then counts patients. The interval is normal on the logit scale, hence within 0 and 1; see
    `within_unit` for perfect separation. Raises EvaluationError on one class or values that are not finite.

    With a label of `at_horizon` this is the time-dependent one of cumulative cases and dynamic controls (Heagerty 2000,
    doi 10.1111/j.0006-341X.2000.00337.x), weighted (Uno 2007, doi 10.1198/016214507000000149). Its interval rests on
    each patient's influence, that on the weights included (Blanche 2013, doi 10.1002/sim.5958).
    """
    outcome = observed(label, group=group)
    scores = numbers(score, name="score", like=outcome.event.size)
    value, variance = _difference(outcome, scores)
    units = outcome.rarer
    how, degrees = f"{_method(outcome)}, logit scale", units - 1 if outcome.lost else None
    low, high, method = within_unit(value, variance=variance, units=units, degrees=degrees, method=how)
    return Estimate(value=value, low=low, high=high, n=outcome.patients.count, method=method)


def compare_auroc(
    label: Outcome, *, score_a: ArrayLike, score_b: ArrayLike, group: ArrayLike | None = None
) -> Comparison:
    """Paired DeLong test of two scores of the same patients: AUROC of a minus that of b, its interval and P.

    With `group` (n,) the rows of one patient count together (Obuchowski 1997); with a label of `at_horizon` the
    difference of what each patient adds to either (Blanche 2013). Raises EvaluationError as `auroc` does.
    """
    outcome = observed(label, group=group)
    a, b = (
        numbers(each, name=f"score_{name}", like=outcome.event.size) for each, name in ((score_a, "a"), (score_b, "b"))
    )
    value, variance = _difference(outcome, a, b)
    return normal_comparison(value, variance=variance, n=outcome.patients.count, method=f"paired {_method(outcome)}")


def _method(outcome: Observed) -> str:
    if outcome.lost is not None:
        return f"cumulative/dynamic, influence function{outcome.how}"
    return f"DeLong{outcome.how}{'' if outcome.patients.of_row is None else ' (Obuchowski)'}"


def _difference(outcome: Observed, score: Floats, less: Floats | None = None) -> tuple[float, float]:
    """The AUROC of a score, less that of another where there is one, and its variance."""
    if outcome.lost is not None:
        found = [_influenced(outcome, each) for each in (score, less) if each is not None]
        (value, influence), (other, others) = found if less is not None else (*found, (0.0, np.zeros(1)))
        return value - other, sum_variance(influence - others)
    placed = placements(outcome.event, score)
    if less is not None:
        placed = placed - placements(outcome.event, less)
    return float(placed[outcome.event].mean()), auroc_variance(outcome.event, placed, outcome.patients)


def _influenced(outcome: Observed, score: Floats) -> tuple[float, Floats]:
    """The AUROC of weighted rows and what each patient adds to it."""
    case, control = (np.where(kind, outcome.weight, 0.0) for kind in (outcome.event, ~outcome.event))
    below, above = _share_below(score, weight=control), 1 - _share_below(score, weight=case)
    value = min(float(case @ below / case.sum()), 1.0)  # rounding of the weights could exceed 1
    own = case * (below - value) / case.sum() + control * (above - value) / control.sum()
    return value, outcome.influence(own)


def _share_below(score: Floats, *, weight: Floats) -> Floats:
    """Share of the weight that lies below each score, ties half."""
    order = np.argsort(score)
    ranked, summed = score[order], np.concatenate([[0.0], np.cumsum(weight[order])])
    left, right = (summed[np.searchsorted(ranked, score, side=side)] for side in ("left", "right"))
    return np.asarray((left + right) / (2 * summed[-1]), dtype=np.float64)


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
    if min(patients.having(positive), patients.having(~positive)) < 2:
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


def average_precision(label: Outcome, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Average precision, the area under the precision-recall curve summed in steps (scikit-learn).

    Interval: the binomial one on the logit scale with as many trials as patients with the event (Boyd, Eng and Page
    2013, doi 10.1007/978-3-642-40994-3_29). Chance is the share of patients with the event, not 0.5. `label` (n,) is 0
    or 1, or of `at_horizon`. Raises EvaluationError on one class or values that are not finite.
    """
    outcome = observed(label, group=group)
    scores = numbers(score, name="score", like=outcome.event.size)
    found = average_precision_score(outcome.event, scores, sample_weight=outcome.weight)
    value = min(float(found), 1.0)  # its sum of steps can round to more
    trials = outcome.patients.having(outcome.event)
    weighted = "" if outcome.lost is None else ", weighted for censoring"
    how = f"binomial over patients with the event (Boyd), logit scale{weighted}"
    low, high, method = within_unit(value, variance=value * (1 - value) / trials, units=trials, method=how)
    return Estimate(value=value, low=low, high=high, n=outcome.patients.count, method=method)
