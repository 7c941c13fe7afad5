"""Macro: means over classes of the one-vs-rest AUROC and of F1, each class counting the same."""

import numpy as np

from hepatica.evaluate.binary.discrimination import placements
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Booleans, Floats
from hepatica.evaluate.intervals import sum_variance, within_unit
from hepatica.evaluate.multiclass.classified import Classified
from hepatica.evaluate.patients import Patients


def macro_auroc(rows: Classified) -> Estimate:
    """Mean of the AUROC of each class against the rest, over the classes that some row is of.

    Its variance comes from the mean of what each patient adds to each AUROC, by DeLong's placements, clustered as in
    `auroc` (Obuchowski 1997, doi 10.2307/2533958); for two classes it is DeLong's. Normal on the logit scale. Undefined
    when all rows are of one class.
    """
    n, classes = rows.patients.count, rows.present
    if len(classes) < 2:
        return undefined(f"every row is of class {rows.classes[classes[0]]}", n=n)
    positives = [rows.of == which for which in classes]
    placed = [placements(positive, rows.score[:, which]) for positive, which in zip(positives, classes, strict=True)]
    value = float(np.mean([each[positive].mean() for each, positive in zip(placed, positives, strict=True)]))
    variance = 0.0
    if rows.rarest > 1:
        pairs = zip(positives, placed, strict=True)
        added = np.mean([_influence(positive, each, rows.patients) for positive, each in pairs], axis=0)
        variance = float(added @ added)
    low, high = within_unit(value, variance=variance, units=rows.rarest)
    method = f"mean of one-vs-rest AUROC, DeLong, logit scale{rows.patients.clustered}{rows.over_present}"
    return Estimate(value=value, low=low, high=high, n=n, method=method)


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
    low, high = within_unit(value, variance=variance, units=rows.rarest)
    method = f"mean of F1, delta method, logit scale{patients.clustered}{rows.over_present}"
    return Estimate(value=value, low=low, high=high, n=patients.count, method=method)
