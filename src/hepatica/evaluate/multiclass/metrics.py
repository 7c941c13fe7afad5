"""Metrics: every statistic of a score a class against outcomes of several classes, in one call."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hepatica.evaluate.binary.confusion import accuracy, confusion, f1, ppv, sensitivity, specificity
from hepatica.evaluate.binary.discrimination import auroc
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.kappa import kappa_of
from hepatica.evaluate.multiclass.classified import Classified, classified
from hepatica.evaluate.multiclass.macro import macro_auroc, macro_f1

OF_A_CLASS = {"sensitivity": sensitivity, "specificity": specificity, "ppv": ppv, "f1": f1}


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


Weights = Literal["none", "linear", "quadratic"]
"""What a call k classes away loses: all, or a share that grows with k or with k squared."""


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
