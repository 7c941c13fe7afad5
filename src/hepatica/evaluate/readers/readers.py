"""Readers: radiologists one by one, on average, among each other, against a machine, and with its help."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.binary import AT_A_CUTOFF
from hepatica.evaluate.binary.confusion import Confusion, accuracy, confusion
from hepatica.evaluate.binary.discrimination import auroc
from hepatica.evaluate.estimate import Comparison, Estimate, undefined
from hepatica.evaluate.groups.contingency import mcnemar_p
from hepatica.evaluate.inputs import Booleans, Floats, numbers
from hepatica.evaluate.intervals import NO_SPREAD
from hepatica.evaluate.readers.fleiss import Agreement, fleiss_kappa
from hepatica.evaluate.readers.multi_reader import RATES, Readings, auroc_readings, over_readers, rate_readings
from hepatica.evaluate.readers.reader_table import ReaderTable, Reading

Rates = dict[str, Estimate]

METHOD = "mean over readings, clustered by reader and by case"


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Readings of one kind of advice: share of right calls before it, with it, and the difference of the two.

    `n` of each estimate counts the cases; `readings` the pairs of readings, one before and one with advice.
    """

    readings: int
    before: Estimate
    after: Estimate
    gain: Estimate


@dataclass(frozen=True, kw_only=True)
class Versus:
    """Readers minus machine, or aided minus unaided, in each statistic.

    `over_readers_and_cases` is the Obuchowski-Rockette test. `t_p` are the P values of a t test whose n are the
    readers: as published by some, but it takes the cases for all there are and rests on a handful of numbers.
    `mcnemar_p` are exact ones of each reader: of the rate of right calls among all cases (accuracy), those with the
    disease (sensitivity) and those without (specificity).
    """

    over_readers_and_cases: dict[str, Comparison]
    t_p: dict[str, float]
    mcnemar_p: dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way of reading: each reader's rates, their average, their agreement, and how they compare to the machine."""

    per_reader: dict[str, Rates]
    average: Rates
    agreement: Agreement | None
    against_machine: Versus | None


@dataclass(frozen=True, kw_only=True)
class ReaderStudy:
    """What a reader study shows; `aided` compares the second arm with the first and is None where there is one arm.

    `by_advice` does so for right and for wrong advice, empty where no advice was recorded. `new_cases` compares the
    second arm on cases that were new in it with the first arm on the others, so that memory plays no part; unpaired.
    """

    arms: dict[str, Arm]
    machine: Rates | None
    aided: Versus | None
    by_advice: dict[str, Followed]
    new_cases: Versus | None = None


def study_readers(table: ReaderTable) -> ReaderStudy:
    """Rates, agreement and comparisons of all readers of a table.

    Averages, agreement and comparisons over readers want two or more readers. AUROC is there where a score column was
    read. Where there are more than two categories, `accuracy_of_category` counts the calls of the very category; the
    other rates count the positive one against the rest. Raises EvaluationError on more than two arms.
    """
    if len(table.arms) > 2:
        raise EvaluationError(f"arms: got {', '.join(table.arms)}, wanted one or two; leave the others out of the file")
    readings = list(table.arms.values())
    return ReaderStudy(
        arms={name: _arm(table, reading) for name, reading in table.arms.items()},
        machine=None if table.machine is None else _rates(table, table.machine, 0),
        aided=_versus(table, readings[1], readings[0]) if len(readings) == 2 else None,
        by_advice=_by_advice(table, *readings) if len(readings) == 2 else {},
        new_cases=None if table.new is None else _unpaired(table, table.new),
    )


def _unpaired(table: ReaderTable, new: ReaderTable) -> Versus:
    """The new cases, all read in the second arm, minus the first arm of the others: cases are independent."""
    first, second = _readings(table, [*table.arms.values()][:1]), _readings(new, list(new.arms.values()))
    apart = {
        name: Readings(
            values=second[name].values - each.values,
            covariance=second[name].covariance + each.covariance,
            cases=second[name].cases + each.cases,
        )
        for name, each in first.items()
    }
    return _compared(apart, mcnemar={})


def _by_advice(table: ReaderTable, first: Reading, second: Reading) -> dict[str, Followed]:
    if second.advice is None:
        return {}
    return by_advice(second.advice == table.truth, before=first.calls == table.truth, after=second.calls == table.truth)


def t_over_readers(values: ArrayLike, *, against: ArrayLike = 0.0) -> float:
    """P of a one-sample t test of readers' values (readers,) against one value, or paired against theirs (readers,).

    What Wang 2021 (doi 10.1038/s41416-021-01511-w) prints; see `Versus` for its weakness. 1 where no reader differs
    from `against`, NaN where all differ by the same or there is one reader.
    """
    apart = numbers(values, name="values of readers") - np.asarray(against, dtype=np.float64)
    if apart.size < 2 or apart.var() < NO_SPREAD:
        return 1.0 if not apart.any() else np.nan
    return float(ttest_1samp(apart, 0).pvalue)


def _arm(table: ReaderTable, reading: Reading) -> Arm:
    several = len(table.readers) > 1
    found = _readings(table, [reading]) if several else {}
    average = {
        name: over_readers(each, bounds=(-1.0, 1.0) if name == "kappa" else (0.0, 1.0)).difference
        for name, each in found.items()
    }
    return Arm(
        per_reader={name: _rates(table, reading, row) for row, name in enumerate(table.readers)},
        average=average,
        agreement=fleiss_kappa(reading.calls.T) if several else None,
        against_machine=None if table.machine is None else _versus(table, reading, table.machine),
    )


def _rates(table: ReaderTable, reading: Reading, row: int) -> Rates:
    counted = confusion(table.label, score=table.called(reading)[row], cutoff=0.5)
    found = {name: rate(counted) for name, rate in AT_A_CUTOFF.items()}
    if reading.scores is not None:
        found["auroc"] = auroc(table.label, score=reading.scores[row])
    if np.unique(table.truth).size > 2:
        right = int((reading.calls[row] == table.truth).sum())
        found["accuracy_of_category"] = accuracy(Confusion(tp=right, fn=table.truth.size - right, fp=0, tn=0))
    return found


def _readings(table: ReaderTable, of: list[Reading]) -> dict[str, Readings]:
    """Each statistic of all readers of the given readings, one after the other, with their covariance."""
    called = np.concatenate([table.called(each) for each in of])
    found = {name: rate_readings(table.label, called=called, rate=name) for name in RATES}
    scores = [each.scores for each in of if each.scores is not None]
    if len(scores) == len(of):
        found["auroc"] = auroc_readings(table.label, scores=np.concatenate(scores))
    return found


def _versus(table: ReaderTable, first: Reading, second: Reading) -> Versus:
    """First minus second; the second is the same readers, or one machine."""
    readers = len(table.readers)
    own, theirs = np.eye(readers), np.ones((readers, 1)) if second is table.machine else np.eye(readers)
    weights = np.hstack([own, -theirs])
    apart = {name: each.weighed(weights) for name, each in _readings(table, [first, second]).items()}
    return _compared(apart, mcnemar=_mcnemar(table, first, second))


def _compared(apart: dict[str, Readings], *, mcnemar: dict[str, dict[str, float]]) -> Versus:
    """From each reader's differences in each statistic."""
    return Versus(
        over_readers_and_cases={
            name: over_readers(each, bounds=(-2.0, 2.0) if name == "kappa" else (-1.0, 1.0))
            for name, each in apart.items()
            if each.values.size > 1
        },
        t_p={name: t_over_readers(each.values) for name, each in apart.items() if np.isfinite(each.values).all()},
        mcnemar_p=mcnemar,
    )


def _mcnemar(table: ReaderTable, first: Reading, second: Reading) -> dict[str, dict[str, float]]:
    label = table.label
    among: dict[str, Booleans] = {"accuracy": np.ones_like(label), "sensitivity": label, "specificity": ~label}
    right = [table.called(each) == label for each in (first, second)]
    other = np.broadcast_to(right[1], right[0].shape)
    return {
        name: {rate: mcnemar_p(right[0][row, rows], right_b=other[row, rows]) for rate, rows in among.items()}
        for row, name in enumerate(table.readers)
    }


def by_advice(right: Booleans, *, before: Booleans, after: Booleans) -> dict[str, Followed]:
    """Readings by whether the advice shown was `right`, "right" and "wrong"; all arrays (readers, cases).

    `before` and `after` say whether the reader called the case rightly. Advice may differ between readers of a case,
    where each shows the machine another part of it. Readers have different cases in a group, so the test of Obuchowski
    and Rockette does not apply: intervals add the variance over readers to that over cases and subtract that over
    readings (Cameron, Gelbach and Miller 2011, doi 10.1198/jbes.2010.07136), never less than the larger one, with the
    degrees of freedom of the fewer clusters.
    """
    return {name: _followed(chosen, before, after) for name, chosen in {"right": right, "wrong": ~right}.items()}


def _followed(chosen: Booleans, before: Booleans, after: Booleans) -> Followed:
    first, second = before.astype(float), after.astype(float)
    return Followed(
        readings=int(chosen.sum()),
        before=_mean(first, chosen, least=0.0),
        after=_mean(second, chosen, least=0.0),
        gain=_mean(second - first, chosen, least=-1.0),
    )


def _mean(values: Floats, chosen: Booleans, *, least: float) -> Estimate:
    cases, clusters = int(chosen.any(axis=0).sum()), int(min(chosen.any(axis=0).sum(), chosen.any(axis=1).sum()))
    if clusters < 2:
        return undefined(f"advice of this kind for {clusters} readers or cases, wanted 2 or more", n=cases)
    mean = float(values[chosen].mean())
    apart = np.where(chosen, values - mean, 0.0) / chosen.sum()
    over = [float((part**2).sum()) for part in (apart.sum(axis=0), apart.sum(axis=1), apart)]
    variance = max(over[0] + over[1] - over[2], over[0], over[1]) * clusters / (clusters - 1)
    if variance < NO_SPREAD:
        return Estimate(value=mean, low=None, high=None, n=cases, method="no interval: the sample shows no variation")
    margin = float(student.ppf(0.975, clusters - 1)) * variance**0.5
    return Estimate(value=mean, low=max(mean - margin, least), high=min(mean + margin, 1.0), n=cases, method=METHOD)
