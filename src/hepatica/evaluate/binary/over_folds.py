"""Over folds: the AUROC of a cross-validation, each fold judged by itself because each has a network of its own.

Folds hold different patients, so the variance of a mean over folds is the sum of the folds' variances (DeLong's, with
several rows a patient Obuchowski's) over the square of their number. That the training sets overlap it leaves out: no
unbiased estimate has that in (Bengio and Grandvalet, JMLR 2004;5:1089). A fold with a single patient of a class has no
variance of its own and is given the largest of the others', so that it does not count as known exactly (ours).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.discrimination import auroc_variance, placements
from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.inputs import Booleans, Floats, numbers, zero_or_one
from hepatica.evaluate.intervals import normal_comparison, within_unit
from hepatica.evaluate.patients import Patients, patients_of


def auroc_over_folds(
    label: ArrayLike, *, score: ArrayLike, fold: ArrayLike, group: ArrayLike | None = None
) -> tuple[Estimate, dict[str, float]]:
    """Mean AUROC over the folds with its interval, and the AUROC of each fold by its name.

    `label`, `score`, `fold` and `group` (n,) give each held-out row its class, score, fold and patient. A fold with one
    class gives no AUROC and is left out, which `method` says. Raises EvaluationError when no fold has two classes or
    values are not finite.
    """
    scores = numbers(score, name="score")
    values, variances, rarer = {}, [], 0
    for name, rows, positive, patients in _folds(label, fold, group, count=scores.size):
        placed = placements(positive, scores[rows])
        values[name] = float(placed[positive].mean())
        variances.append(_variance(positive, placed, patients))
        rarer += min(patients.having(positive), patients.having(~positive))
    mean = float(np.mean(list(values.values())))
    low, high, method = within_unit(mean, variance=_of_mean(variances), units=rarer, method=_method(values, fold))
    estimate = Estimate(value=mean, low=low, high=high, n=_patients(scores, group), method=method)
    return estimate, values


def compare_auroc_over_folds(
    label: ArrayLike, *, score_a: ArrayLike, score_b: ArrayLike, fold: ArrayLike, group: ArrayLike | None = None
) -> Comparison:
    """Mean AUROC over the folds of a minus that of b, two scores of the same rows; its interval and P.

    Raises EvaluationError as `auroc_over_folds` does.
    """
    a = numbers(score_a, name="score_a")
    b = numbers(score_b, name="score_b", like=a.size)
    values, variances = {}, []
    for name, rows, positive, patients in _folds(label, fold, group, count=a.size):
        apart = placements(positive, a[rows]) - placements(positive, b[rows])
        values[name] = float(apart[positive].mean())
        variances.append(_variance(positive, apart, patients))
    value, variance = float(np.mean(list(values.values()))), _of_mean(variances)
    method = f"paired, {_method(values, fold)}"
    return normal_comparison(value, variance=variance, n=_patients(a, group), method=method)


def _folds(
    label: ArrayLike, fold: ArrayLike, group: ArrayLike | None, *, count: int
) -> Iterator[tuple[str, Booleans, Booleans, Patients]]:
    """Name, rows, labels and patients of each fold that has both classes."""
    positive, folds = zero_or_one(label, name="label", like=count), np.asarray(fold)
    found = 0
    for name in np.unique(folds):
        rows: Booleans = folds == name
        if positive[rows].all() or not positive[rows].any():
            continue
        found += 1
        own = None if group is None else np.asarray(group)[rows]
        yield str(name), rows, positive[rows], patients_of(own, rows=int(rows.sum()))
    if not found:
        raise EvaluationError(f"got {np.unique(folds).size} folds of one class each, wanted patients with 0 and with 1")


def _variance(positive: Booleans, values: Floats, patients: Patients) -> float:
    """Of a fold's mean; NaN where one class has a single patient."""
    fewest = min(patients.having(positive), patients.having(~positive))
    return auroc_variance(positive, values, patients) if fewest > 1 else np.nan


def _of_mean(variances: list[float]) -> float:
    known = np.asarray(variances)
    largest = 0.0 if np.isnan(known).all() else np.nanmax(known)
    return float(np.where(np.isnan(known), largest, known).sum()) / known.size**2


def _patients(scores: Floats, group: ArrayLike | None) -> int:
    return patients_of(group, rows=scores.size).count


def _method(values: dict[str, float], fold: ArrayLike) -> str:
    return f"mean over {len(values)} of {np.unique(np.asarray(fold)).size} folds, DeLong clustered by patient"
