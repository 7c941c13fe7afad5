"""Concordance: of two patients, how often the one with the higher risk has the event first (Harrell's C-index)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.compiled import compiled
from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.inputs import Booleans, Floats, Risk, follow_up, numbers
from hepatica.evaluate.intervals import normal_comparison, sum_variance, within_unit
from hepatica.evaluate.patients import patients_of


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs that each patient (n,) is a member of: how many can be compared, and how many of them are concordant.

    A pair counts at both of its members; a pair of equal risks is half concordant.
    """

    comparable: Floats
    concordant: Floats

    @property
    def c_index(self) -> float:
        """Share of the comparable pairs that are concordant."""
        return float(self.concordant.sum() / self.comparable.sum())

    @property
    def influence(self) -> Floats:
        """What each patient adds to the C-index: its derivative by the patient's weight (infinitesimal jackknife)."""
        surplus = self.concordant - self.c_index * self.comparable
        return np.asarray(2 * surplus / self.comparable.sum(), dtype=np.float64)


def c_index(time: ArrayLike, *, event: ArrayLike, score: Risk, group: ArrayLike | None = None) -> Estimate:
    """Harrell's C-index of a risk: 1 when the higher risk always has the event first, 0.5 by chance.

    `time` (n,) of event or censoring, `event` (n,) 1 happened or 0 censored, `score` (n,) a Risk: the higher, the
    earlier. Two patients are comparable when the one with the shorter time had the event; of equal times, when just one
    had it. Equal risks count half (Harrell 1982, doi 10.1001/jama.1982.03320430047030; the definition of lifelines).

    The interval is on the logit scale with the infinitesimal-jackknife variance from each patient's pairs (as in R's
    survival::concordance), by patient when `group` (n,) names the patient of each row, and Student's t with one degree
    of freedom fewer than patients with the event: docs/studies/few_events.md. Of one event the variance says nothing,
    and the limits are those of `within_unit` without any. O(n log n). Raises EvaluationError when no two patients can
    be compared.
    """
    times, events = follow_up(time, event=event)
    pairs = comparable_pairs(times, event=events, score=numbers(score, name="score", like=times.size))
    patients = patients_of(group, rows=times.size)
    units = patients.having(events)
    variance = sum_variance(patients.sums(pairs.influence)) if units > 1 else 0.0
    method = f"infinitesimal jackknife, logit scale, t{patients.clustered}"
    low, high, method = within_unit(pairs.c_index, variance=variance, units=units, degrees=units - 1, method=method)
    return Estimate(value=pairs.c_index, low=low, high=high, n=patients.count, method=method)


def compare_c_index(time: ArrayLike, *, event: ArrayLike, score_a: Risk, score_b: Risk) -> Comparison:
    """Paired test of two risks of the same patients: C-index of a minus that of b, its interval and P.

    Student's t, as in `c_index`, with the infinitesimal-jackknife variance of the difference (Kang 2015, doi
    10.1002/sim.6370, has the same with U-statistics). Raises EvaluationError when no two patients can be compared.
    """
    times, events = follow_up(time, event=event)
    a, b = (
        comparable_pairs(times, event=events, score=numbers(score, name=name, like=times.size))
        for score, name in ((score_a, "score_a"), (score_b, "score_b"))
    )
    variance = sum_variance(a.influence - b.influence)
    method = "paired infinitesimal jackknife"
    degrees = int(events.sum()) - 1
    return normal_comparison(a.c_index - b.c_index, variance=variance, n=times.size, method=method, degrees=degrees)


def comparable_pairs(time: Floats, *, event: Booleans, score: Floats) -> Pairs:
    """Count each patient's comparable and concordant pairs; EvaluationError when no two patients can be compared."""
    moment, rank, everyone = _moments(time, event), _dense_rank(score), np.ones_like(event)
    order = _sorted(moment)
    below, before = _sweep(order, moment, rank, everyone, event)
    lower, after = _sweep(order[::-1].copy(), moment, rank, event, everyone)
    comparable = before + after
    if not comparable.any():
        raise EvaluationError(
            f"C-index: got {int(event.sum())} events among {time.size} patients, none earlier than the time of another"
            " patient; wanted two patients that can be compared"
        )
    return Pairs(comparable=comparable, concordant=before - below + lower)


def c_index_of_samples(time: ArrayLike, *, event: ArrayLike, score: Risk, counts: NDArray[np.int64]) -> Floats:
    """C-index (r,) of samples with replacement, of which `counts` (r, n) says how often each patient is in each.

    The values of `c_index` of the repeated rows, without intervals; NaN where no two patients can be compared.
    """
    times, events = follow_up(time, event=event)
    moment, rank = _moments(times, events), _dense_rank(numbers(score, name="score", like=times.size))
    order, found = _sorted(moment)[::-1].copy(), np.full(len(counts), np.nan)
    for place, count in enumerate(counts):
        lower, later = _sweep(order, moment, rank, events, count) @ count
        found[place] = lower / later if later else np.nan
    return found


def _moments(time: Floats, event: Booleans) -> NDArray[np.int64]:
    """Of equal times, events come before censored patients."""
    return 2 * _dense_rank(time) + ~event


def _dense_rank(values: Floats) -> NDArray[np.int64]:
    some = values[:1000]
    if pd.unique(some).size < some.size / 2:  # many ties: it is quicker to sort the distinct values alone
        found, distinct = pd.factorize(values)
        return np.asarray(_rank_by_sorting(distinct)[found])
    return _rank_by_sorting(values)


def _rank_by_sorting(values: Floats) -> NDArray[np.int64]:
    order = np.argsort(values)
    rank = np.zeros(values.size, dtype=np.int64)
    rank[order[1:]] = np.cumsum(np.diff(values[order]) != 0)
    return rank


@compiled
def _sorted(moment: Any) -> Any:
    """Rows (n,) in the order of their moments, whole numbers below 2 n, by counting."""
    place, order = np.zeros(moment.max() + 2, dtype=np.int64), np.empty_like(moment)
    for each in moment:
        place[each + 1] += 1
    for each in range(1, place.size):
        place[each] += place[each - 1]
    for row, each in enumerate(moment):
        order[place[each]] = row
        place[each] += 1
    return order


@compiled
def _sweep(order: Any, moment: Any, rank: Any, asks: Any, joins: Any) -> Any:
    """How many that joined at earlier moments have a lower rank (half an equal one), any rank: (2, n), of who asks.

    `order` (n,) is that of the rows' moments, from either end; `joins` (n,) is how many join with each row.
    A Fenwick tree over ranks (doi 10.1002/spe.4380240306) makes each question and each joining O(log of the ranks);
    where few moments meet few ranks, counts are summed over ranks once a moment, which makes both O(1).
    """
    n, ranks = order.size, rank.max() + 1
    few = (moment.max() + 1) * ranks <= 4 * n  # above, the tree is quicker (measured)
    found, (tree, same) = np.zeros((2, n)), np.zeros((2, ranks), dtype=np.int64)
    joined = first = 0
    while first < n:
        last, now = first, moment[order[first]]
        if few:
            for node in range(1, ranks):
                tree[node] = tree[node - 1] + same[node - 1]
        while last < n and moment[order[last]] == now:
            row = order[last]
            if asks[row]:
                below = tree[rank[row]] if few else _below(tree, rank[row])
                found[0, row], found[1, row] = below + same[rank[row]] / 2, joined
            last += 1
        for row in order[first:last]:
            joined += joins[row]
            same[rank[row]] += joins[row]
            if joins[row] and not few:
                _add(tree, rank[row] + 1, joins[row])
        first = last
    return found


@compiled
def _below(tree: Any, node: Any) -> Any:
    found = 0
    while node > 0:
        found += tree[node]
        node &= node - 1
    return found


@compiled
def _add(tree: Any, node: Any, count: Any) -> None:
    while node < tree.size:
        tree[node] += count
        node += node & -node
