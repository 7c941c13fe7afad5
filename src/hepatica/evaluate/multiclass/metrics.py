"""Metrics: every statistic of a score a class against outcomes of several classes, in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.confusion import Confusion, accuracy, confusion, f1, ppv, sensitivity, specificity
from hepatica.evaluate.binary.discrimination import auroc, placements
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Booleans, Floats, numbers
from hepatica.evaluate.intervals import sum_variance, within_unit
from hepatica.evaluate.kappa import kappa_of
from hepatica.evaluate.patients import Patients, patients_of

OF_A_CLASS = {"sensitivity": sensitivity, "specificity": specificity, "ppv": ppv, "f1": f1}

Weights = Literal["none", "linear", "quadratic"]
"""What a call k classes away loses: all, or a share that grows with k or with k squared."""


@dataclass(frozen=True, kw_only=True)
class Classified:
    """`of` (n,) and `called` (n,) number the `classes` (k,) of each row from 0; `score` (n, k) has a column a class."""

    classes: tuple[str, ...]
    of: NDArray[np.intp]
    called: NDArray[np.intp]
    score: Floats
    patients: Patients

    @property
    def shares(self) -> Floats:
        """(k, k) share of all rows that are of the class of the line and called the class of the column."""
        k = len(self.classes)
        return np.bincount(self.of * k + self.called, minlength=k * k).reshape(k, k) / self.of.size

    @property
    def matrix(self) -> pd.DataFrame:
        """(k, k) confusion matrix: counts of rows, a line for the class they are of, a column for the class called."""
        counts = np.rint(self.shares * self.of.size).astype(int)
        return pd.DataFrame(counts, index=list(self.classes), columns=list(self.classes))

    @property
    def present(self) -> list[int]:
        """The classes that some row is of."""
        return [int(which) for which in np.unique(self.of)]

    @property
    def over_present(self) -> str:
        """What the method of a mean over classes adds where some have no rows: over which it is."""
        named = [self.classes[which] for which in self.present]
        return "" if len(named) == len(self.classes) else f", over {', '.join(named)}; no row is of any other class"

    def one_v_rest(self, which: int) -> Confusion:
        """Rows of a class and rows called it, as if there were that class and the rest."""
        return confusion(self.of == which, score=self.called == which, cutoff=0.5, group=self.patients.of_row)

    @property
    def rarest(self) -> int:
        """Patients of the class that has the fewest, of those present."""
        return min(self.patients.having(self.of == which) for which in self.present)


def multiclass_metrics(
    label: ArrayLike,
    *,
    score: ArrayLike,
    classes: Sequence[str],
    ordered: bool = False,
    group: ArrayLike | None = None,
) -> dict[str, Estimate]:
    """Discrimination and classification of (n, k) scores against (n,) labels among k `classes`.

    A row is called the class of its highest score. accuracy; auroc_macro and f1_macro; kappa, and of `ordered` classes
    kappa_weighted (quadratic weights) and kappa_weighted_linear; of each class auroc, sensitivity, specificity, ppv and
    f1 against the rest, as in auroc[CLASS]. A class no row is of has no statistics, and the means over classes leave it
    out. `group` (n,) names the patient of each row when there are several, and all intervals then rest on patients.
    Raises EvaluationError as `classified` does.
    """
    rows = classified(label, score=score, classes=classes, group=group)
    right = confusion(np.ones(rows.of.size), score=rows.of == rows.called, cutoff=0.5, group=rows.patients.of_row)
    found = {
        "accuracy": accuracy(right),
        "auroc_macro": macro_auroc(rows),
        "f1_macro": macro_f1(rows),
        "kappa": weighted_kappa(rows, weights="none"),
    }
    if ordered:
        found["kappa_weighted"] = weighted_kappa(rows, weights="quadratic")
        found["kappa_weighted_linear"] = weighted_kappa(rows, weights="linear")
    for which, name in enumerate(rows.classes):
        found |= {f"{metric}[{name}]": each for metric, each in _of_a_class(rows, which).items()}
    return found


def _of_a_class(rows: Classified, which: int) -> dict[str, Estimate]:
    name, n = rows.classes[which], rows.patients.count
    if which not in rows.present:
        return dict.fromkeys(("auroc", *OF_A_CLASS), undefined(f"no row is of class {name}", n=n))
    counted = rows.one_v_rest(which)
    rates = {metric: each(counted) for metric, each in OF_A_CLASS.items()}
    if len(rows.present) < 2:
        return {"auroc": undefined(f"every row is of class {name}", n=n)} | rates
    return {"auroc": auroc(rows.of == which, score=rows.score[:, which], group=rows.patients.of_row)} | rates


def weighted_kappa(rows: Classified, *, weights: Weights) -> Estimate:
    """Cohen's kappa (weights none) or weighted kappa (Cohen 1968, doi 10.1037/h0026256) of ordered classes.

    The interval is that of `kappa_of`.
    """
    return kappa_of(
        rows.shares,
        weight=_agreement(len(rows.classes), weights),
        by_patient=lambda values: rows.patients.sums(values[rows.of, rows.called] / rows.of.size),
        n=rows.patients.count,
        clustered=rows.patients.clustered,
        named="" if weights == "none" else f"{weights} weights, ",
    )


def _agreement(k: int, weights: Weights) -> Floats:
    """(k, k) how far two classes agree: 1 for the same, 0 for the first and the last."""
    if weights == "none":
        return np.eye(k)
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / (k - 1)
    return 1 - apart ** (1 if weights == "linear" else 2)


def macro_auroc(rows: Classified) -> Estimate:
    """Mean of the AUROC of each class against the rest, over the classes that some row is of.

    Its variance comes from the mean of what each patient adds to each AUROC, by DeLong's placements, clustered as in
    `auroc` (Obuchowski 1997, doi 10.2307/2533958); for two classes it is DeLong's. On the logit scale; of more classes,
    of which one often has few patients, by Student's t with Satterthwaite's degrees of freedom of the classes (ours).
    Undefined when all rows are of one class.
    """
    n, classes = rows.patients.count, rows.present
    if len(classes) < 2:
        return undefined(f"every row is of class {rows.classes[classes[0]]}", n=n)
    positives = [rows.of == which for which in classes]
    placed = [placements(positive, rows.score[:, which]) for positive, which in zip(positives, classes, strict=True)]
    value = float(np.mean([each[positive].mean() for each, positive in zip(placed, positives, strict=True)]))
    variance, degrees = 0.0, None
    if rows.rarest > 1:
        pairs = zip(positives, placed, strict=True)
        added = np.mean([_influence(positive, each, rows.patients) for positive, each in pairs], axis=0)
        variance, degrees = float(added @ added), _satterthwaite(rows, added) if len(classes) > 2 else None
    method = f"mean of one-vs-rest AUROC, DeLong, logit scale{rows.patients.clustered}{rows.over_present}"
    low, high, method = within_unit(value, variance=variance, units=rows.rarest, degrees=degrees, method=method)
    return Estimate(value=value, low=low, high=high, n=n, method=method)


def _satterthwaite(rows: Classified, added: Floats) -> float:
    """Degrees of freedom of a variance that is the sum of those of the classes' patients (Satterthwaite 1946)."""
    squares, degrees = [], []
    for which in rows.present:
        share = rows.patients.sums((rows.of == which).astype(float)) / rows.patients.sums(np.ones(rows.of.size))
        squares.append(float(share @ added**2))
        degrees.append(max(rows.patients.having(rows.of == which) - 1, 1))
    total, parts = sum(squares), np.array(squares) ** 2 / degrees
    return total**2 / float(parts.sum()) if total else 1.0


def _influence(positive: Booleans, placed: Floats, patients: Patients) -> Floats:
    """(patients,) what each adds to one AUROC, the part of either kind of row scaled for few patients as in DeLong."""
    added = np.zeros(patients.count)
    for kind in (positive, ~positive):
        units, centred = patients.having(kind), np.where(kind, placed - placed[kind].mean(), 0)
        added += patients.sums(centred / kind.sum()) * np.sqrt(units / (units - 1))
    return added


def macro_f1(rows: Classified) -> Estimate:
    """Mean of the F1 of each class, over the classes that some row is of.

    Interval by the delta method (Takahashi 2022, doi 10.1007/s10489-021-02635-5), by patient, on the logit scale.
    """
    shares, patients = rows.shares, rows.patients
    both, either = np.diag(shares), shares.sum(axis=0) + shares.sum(axis=1)
    each = {which: 2 * both[which] / either[which] for which in rows.present}
    value = float(np.mean(list(each.values())))
    added = np.zeros(rows.of.size)
    for which, score in each.items():
        of, called = rows.of == which, rows.called == which
        added += (2.0 * (of & called) - score * (of.astype(float) + called)) / either[which]
    variance = sum_variance(patients.sums(added / len(each) / added.size))
    method = f"mean of F1, delta method, logit scale{patients.clustered}{rows.over_present}"
    low, high, method = within_unit(value, variance=variance, units=rows.rarest, method=method)
    return Estimate(value=value, low=low, high=high, n=patients.count, method=method)


def classified(
    label: ArrayLike, *, score: ArrayLike, classes: Sequence[str], group: ArrayLike | None = None
) -> Classified:
    """Call each row the class of its highest score, of equal scores the first in `classes`.

    `label` (n,) holds names among `classes` (k, two or more), `score` (n, k) one column for each in their order,
    `group` (n,) names the patient of each row when there are several. Raises EvaluationError on a label that is no
    class, classes named twice, or scores of another shape or not finite.
    """
    names = pd.Index(list(classes))
    if len(names) < 2 or not names.is_unique:
        raise EvaluationError(f"classes: got {list(classes)}, wanted two or more different names")
    labels = np.asarray(label).ravel()
    of = names.get_indexer(pd.Index(labels))
    if (of < 0).any():
        raise EvaluationError(f"label: got {labels[of < 0][0]!r}, wanted one of {', '.join(map(str, names))}")
    scores = np.atleast_2d(np.asarray(score))
    if scores.shape != (labels.size, len(names)):
        wanted = f"{(labels.size, len(names))}: a row a label, a column a class"
        raise EvaluationError(f"score: got an array of shape {scores.shape}, wanted {wanted}")
    table = np.column_stack([numbers(column, name="score") for column in scores.T])
    patients = patients_of(group, rows=labels.size)
    return Classified(classes=tuple(classes), of=of, called=table.argmax(axis=1), score=table, patients=patients)
