"""Two groups: whether a measurement differs between two groups, by a t-test or by ranks, and why by that."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Floats, numbers
from hepatica.evaluate.intervals import Z

ALPHA = 0.05
"""P value of Shapiro and Wilk's test below which a group is not held to be normal: the paper's 5 %."""

FEWEST = 3
"""Patients a group below which normality cannot be tested."""

T_TEST, RANK_SUM = "independent t-test", "Wilcoxon rank-sum test"


@dataclass(frozen=True, kw_only=True)
class GroupComparison:
    """A measurement in two groups: the test that was chosen, its P value, and the difference of first minus second.

    `difference` is that of the means after a t-test, and Hodges and Lehmann's after a rank-sum test. `means`,
    `medians` and `n` are those of the first and the second group. `trace` tells in sentences how the test was chosen.
    """

    test: str
    p: float
    difference: Estimate
    means: tuple[float, float]
    medians: tuple[float, float]
    n: tuple[int, int]
    trace: tuple[str, ...]


MOST_PAIRS = 10**6
"""Pairs of patients whose differences are sorted in memory (ours)."""

_HALVINGS = 60  # to the last digit but a few


def compare_groups(
    first: ArrayLike, *, second: ArrayLike, names: tuple[str, str] = ("first group", "second group")
) -> GroupComparison:
    """Independent t-test if both groups conform to the normal distribution, else Wilcoxon's rank-sum test.

    The rule of Li 2025 (doi 10.1186/s12916-025-03977-4). `first` (n,) and `second` (m,) hold one value a patient,
    `names` is what the trace calls them.
    Interval: Student's; Hodges and Lehmann's by inverting the rank-sum test (Lehmann 1963, doi
    10.1214/aoms/1177703882), from its large-sample distribution without ties.

    *Unclear*: the paper names neither the test of normality nor whether variances were held equal. Ours: Shapiro and
    Wilk's at 5 %; equal variances, as "independent t-test" means in most software. Choosing a test by another test is
    the paper's habit and not advised for new work: it costs some of the 5 %.

    Raises EvaluationError when a group has fewer than 3 patients, a value is not finite, or all values are the same.
    """
    groups = _checked(first, second, names)
    normality = [_normality(each) for each in groups]
    normal = all(p >= ALPHA for p in normality)
    p, difference = (_t_test if normal else _rank_sum)(*groups)
    return GroupComparison(
        test=T_TEST if normal else RANK_SUM,
        p=p,
        difference=difference,
        means=(float(groups[0].mean()), float(groups[1].mean())),
        medians=(float(np.median(groups[0])), float(np.median(groups[1]))),
        n=(groups[0].size, groups[1].size),
        trace=(*_normality_text(normality, groups, names), _chosen(normal)),
    )


def _checked(first: ArrayLike, second: ArrayLike, names: tuple[str, str]) -> tuple[Floats, Floats]:
    one, other = numbers(first, name=names[0]), numbers(second, name=names[1])
    fewest, both = min(one.size, other.size), one.size + other.size
    if fewest < FEWEST:
        raise EvaluationError(f"two groups: got {fewest} patients in one, wanted {FEWEST} or more in each")
    if np.ptp(np.concatenate([one, other])) == 0:
        raise EvaluationError(f"two groups: all {both} values are {one[0]:g}, there is nothing to compare")
    return one, other


def _normality(values: Floats) -> float:
    """P of Shapiro and Wilk's test; 0 for a group of one value, which no normal distribution gives."""
    if np.ptp(values) == 0:
        return 0.0
    with warnings.catch_warnings():
        # Above 5,000 patients P is approximate: close enough to choose a test by.
        warnings.filterwarnings("ignore", message="scipy.stats.shapiro: For N > 5000")
        return float(stats.shapiro(values).pvalue)


def _t_test(first: Floats, second: Floats) -> tuple[float, Estimate]:
    found = stats.ttest_ind(first, second, equal_var=True)
    limits = found.confidence_interval()
    difference = Estimate(
        value=float(first.mean() - second.mean()),
        low=float(limits.low),
        high=float(limits.high),
        n=first.size + second.size,
        method="difference of means, Student",
    )
    return float(found.pvalue), difference


def _rank_sum(first: Floats, second: Floats) -> tuple[float, Estimate]:
    pairs, patients = first.size * second.size, first.size + second.size
    outside = max(int(pairs / 2 - Z * np.sqrt(pairs * (patients + 1) / 12)), 1)
    low, below, above, high = _apart(first, second, [outside - 1, (pairs - 1) // 2, pairs // 2, pairs - outside])
    difference = Estimate(
        value=(below + above) / 2,
        low=low,
        high=high,
        n=patients,
        method="Hodges-Lehmann difference, rank-sum test inverted",
    )
    return float(stats.mannwhitneyu(first, second).pvalue), difference


def _apart(first: Floats, second: Floats, places: Sequence[int]) -> list[float]:
    """The differences of all pairs at these places in their order; of many pairs by halving the range they lie in."""
    if first.size * second.size <= MOST_PAIRS:
        every = np.sort(np.subtract.outer(first, second), axis=None)
        return [float(every[place]) for place in places]
    second = np.sort(second)
    found = []
    for place in places:
        low, high = float(first.min() - second[-1]), float(first.max() - second[0])
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            at_most = int((second.size - np.searchsorted(second, first - middle)).sum())
            low, high = (low, middle) if at_most > place else (middle, high)
        found.append(high)
    return found


def _normality_text(normality: list[float], groups: tuple[Floats, Floats], names: tuple[str, str]) -> list[str]:
    return [
        f"{name[:1].upper()}{name[1:]}, {values.size} patients: "
        + ("all values are the same, not normal." if np.ptp(values) == 0 else f"Shapiro-Wilk P = {p:.2g}, {verdict}.")
        for name, values, p in zip(names, groups, normality, strict=True)
        for verdict in ["not unlike normal" if p >= ALPHA else "not normal"]
    ]


def _chosen(normal: bool) -> str:
    if normal:
        return "Neither group departs from normal at 5%: independent t-test with equal variances."
    return "A group departs from normal at 5%: Wilcoxon rank-sum test."
