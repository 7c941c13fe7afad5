"""Permutation: how often shuffled labels would be called or ranked as well as the true ones; power of such a test."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom, hypergeom, norm, rankdata

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Floats, both_classes, numbers
from hepatica.evaluate.intervals import clopper_pearson

PERMUTATIONS = 10_000
"""Shuffles; the least of which P < 0.001 is known to a tenth of itself (ours)."""

_AT_ONCE = 1_000


def permutation_p(
    label: ArrayLike,
    *,
    score: ArrayLike,
    cutoff: float | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> float:
    """One-sided P value of the accuracy of calls at `cutoff`, or of the AUROC where it is None.

    Labels (n,), 0 or 1, are shuffled over the scores (n,): P = (1 + shuffles at least as good) / (1 + shuffles), never
    0 (Phipson and Smyth 2010, doi 10.2202/1544-6115.1585). A score at or above the cut-off is called 1. Raises
    EvaluationError on one class, scores that are not numbers, or fewer than one shuffle.
    """
    event = both_classes(label)
    scores = numbers(score, name="score", like=event.size)
    if permutations < 1:
        raise EvaluationError(f"permutation: got {permutations} shuffles, wanted 1 or more")
    # Both statistics rise with the sum, over cases, of the ranks or of the calls: nothing else changes in a shuffle.
    worth = rankdata(scores) if cutoff is None else (scores >= cutoff).astype(float)
    rng = np.random.default_rng(seed)
    counts = [len(each) for each in np.array_split(np.arange(permutations), -(-permutations // _AT_ONCE))]
    sums = np.concatenate([rng.permuted(np.tile(event, (count, 1)), axis=1).astype(float) @ worth for count in counts])
    better = int((sums >= worth[event].sum() - 1e-9).sum())
    return (1 + better) / (1 + permutations)


@dataclass(frozen=True, kw_only=True)
class Null:
    """What a whole analysis found, and what it finds with the outcomes of the n patients permuted: (m,)."""

    observed: float
    shuffled: Floats
    n: int

    @property
    def p(self) -> float:
        """One-sided P value, never 0 (Phipson and Smyth 2010)."""
        return float((1 + np.count_nonzero(self.shuffled >= self.observed - 1e-9)) / (1 + self.shuffled.size))

    def share_reaching(self, value: float) -> Estimate:
        """Share of shuffles that reach `value`: with -log10 P as the statistic and 1.3, that of P < 0.05 by chance."""
        reached, m = int(np.count_nonzero(self.shuffled >= value)), self.shuffled.size
        low, high = clopper_pearson(reached, m)
        return Estimate(value=reached / m, low=low, high=high, n=self.n, method=f"of {m} shuffles, Clopper-Pearson")


def permutation_null(
    statistic: Callable[[np.ndarray], float], *, patients: int, permutations: int = 200, seed: int = 0
) -> Null:
    """Do a whole analysis again with the outcomes shuffled, selection included, and see what it finds in nothing.

    `statistic(order)` gives what is the larger the more was found, from the outcomes in this order (n,) of the
    patients, which is 0, 1, 2, … for the true ones. Everything chosen by outcomes belongs into it: features selected by
    a Cox model and then clustered part the survival of most shuffled cohorts "significantly". Survival by cluster:

        def found(order):
            groups = clustered(expression[:, selected(expression, time[order], event[order])])
            return -math.log10(log_rank_p(time[order], event=event[order], group=groups).value)

    Raises EvaluationError on fewer than one shuffle.
    """
    if permutations < 1:
        raise EvaluationError(f"permutation: got {permutations} shuffles, wanted 1 or more")
    rng = np.random.default_rng(seed)
    observed = float(statistic(np.arange(patients)))
    shuffled = np.array([statistic(rng.permutation(patients)) for _ in range(permutations)], float)
    return Null(observed=observed, shuffled=shuffled, n=patients)


ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Power:
    """Of a classifier of this true sensitivity and specificity: the probability that the test finds it."""

    sensitivity: float
    specificity: float
    power: float


def power_of_calls(
    *, sensitivity: float, specificity: float, positives: int, negatives: int, alpha: float = ALPHA
) -> float:
    """Probability that calls of `positives` and `negatives` patients are better than chance at `alpha`, one-sided.

    The test is Fisher's exact one, the limit of a permutation test of the accuracy; every outcome is counted, nothing
    is simulated. Raises EvaluationError on shares outside 0..1 or an empty group.
    """
    if not (0 <= sensitivity <= 1 and 0 <= specificity <= 1) or min(positives, negatives) < 1:
        raise EvaluationError(
            f"power: got sensitivity {sensitivity}, specificity {specificity}, {positives} and {negatives} patients;"
            " wanted shares of 0 to 1 and 1 patient or more of each"
        )
    true, false = np.meshgrid(np.arange(positives + 1), np.arange(negatives + 1), indexing="ij")
    p = hypergeom.sf(true - 1, positives + negatives, positives, true + false)
    likely = np.outer(
        binom.pmf(np.arange(positives + 1), positives, sensitivity),
        binom.pmf(np.arange(negatives + 1), negatives, 1 - specificity),
    )
    return float(likely[p <= alpha].sum())


def power_curve(effects: Floats, *, positives: int, negatives: int, alpha: float = ALPHA) -> list[Power]:
    """Power for effects (m,) in standard deviations between two normal distributions, cut halfway between them."""
    curve = []
    for effect in np.asarray(effects, float):
        share = float(norm.cdf(effect / 2))
        found = power_of_calls(
            sensitivity=share, specificity=share, positives=positives, negatives=negatives, alpha=alpha
        )
        curve.append(Power(sensitivity=share, specificity=share, power=found))
    return curve
