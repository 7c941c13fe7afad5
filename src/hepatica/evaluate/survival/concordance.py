"""Concordance: of two patients, how often the one with the higher risk has the event first (Harrell's C-index)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
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
    moment = 2 * _dense_rank(time) + ~event  # of equal times, events come before censored patients
    order = np.argsort(moment)
    moment, happened, rank = moment[order], event[order], _dense_rank(score)[order]
    everyone = np.ones_like(happened)
    below, equal, before = _sweep(moment, rank, everyone, happened.astype(int))
    lower, level, after = (
        each[::-1] for each in _sweep(moment[::-1], rank[::-1], happened[::-1], everyone.astype(int))
    )
    comparable, concordant = np.empty((2, time.size))
    comparable[order] = before + after
    concordant[order] = before - below + lower + (level - equal) / 2
    if not comparable.any():
        raise EvaluationError(
            f"C-index: got {int(event.sum())} events among {time.size} patients, none earlier than the time of another"
            " patient; wanted two patients that can be compared"
        )
    return Pairs(comparable=comparable, concordant=concordant)


def c_index_of_samples(time: ArrayLike, *, event: ArrayLike, score: Risk, counts: NDArray[np.int64]) -> Floats:
    """C-index (r,) of samples with replacement, of which `counts` (r, n) says how often each patient is in each.

    The values of `c_index` of the repeated rows, without intervals; NaN where no two patients can be compared.
    """
    times, events = follow_up(time, event=event)
    moment = 2 * _dense_rank(times) + ~events
    order = np.argsort(moment)[::-1]
    rank, found = _dense_rank(numbers(score, name="score", like=times.size))[order], np.full(len(counts), np.nan)
    for place, count in enumerate(counts[:, order]):
        lower, level, later = (each @ count for each in _sweep(moment[order], rank, events[order], count))
        found[place] = (lower + level / 2) / later if later else np.nan
    return found


def _dense_rank(values: Floats) -> NDArray[np.int64]:
    order = np.argsort(values)
    rank = np.zeros(values.size, dtype=np.int64)
    rank[order[1:]] = np.cumsum(np.diff(values[order]) != 0)
    return rank


def _count_while_joining(moment: Any, rank: Any, asks: Any, joins: Any) -> Any:
    """How many that joined at earlier moments have a lower rank, the same rank, any rank: (3, n), 0 for who asks not.

    `joins` (n,) is how many join with each row.
    A Fenwick tree over ranks (doi 10.1002/spe.4380240306) makes each question and each joining O(log n).
    """
    n = moment.size
    found = np.zeros((3, n), dtype=np.int64)
    tree, same = np.zeros(n + 1, dtype=np.int64), np.zeros(n, dtype=np.int64)
    joined = first = 0
    while first < n:
        last = first
        while last < n and moment[last] == moment[first]:
            if asks[last]:
                node = rank[last]
                while node > 0:
                    found[0, last] += tree[node]
                    node &= node - 1
                found[1, last], found[2, last] = same[rank[last]], joined
            last += 1
        for each in range(first, last):
            if joins[each]:
                joined += joins[each]
                same[rank[each]] += joins[each]
                node = rank[each] + 1
                while node <= n:
                    tree[node] += joins[each]
                    node += node & -node
        first = last
    return found


_sweep = compiled(_count_while_joining)
