"""Consensus: groups that come out together over many clusterings of parts of the patients, and how many there are.

Monti et al., Machine Learning 2003;52:91, doi 10.1023/A:1023949509487; number of groups by the least share of pairs
that are neither clearly together nor clearly apart (Senbabaoglu et al., Sci Rep 2014;4:6207, doi 10.1038/srep06207),
and beside it by the gap statistic (Tibshirani et al., J R Stat Soc B 2001;63:411, doi 10.1111/1467-9868.00293).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Floats

SHARE = 0.8
"""Of the patients in each part (ours; Ben-Hur 2002 has it, and Monti 2003 in examples)."""

TOGETHER, APART = 0.9, 0.1
"""Share of clusterings from which a pair is clearly together, and to which clearly apart (Senbabaoglu 2014)."""


@dataclass(frozen=True, kw_only=True)
class Consensus:
    """`groups` (n,) from 0 for `count` groups; `ambiguous` and `gap` by number of groups, from 2 (gap: from 1)."""

    groups: NDArray[np.int64]
    count: int
    ambiguous: dict[int, float]
    gap: dict[int, float]

    @property
    def least_ambiguous(self) -> int:
        """The number of groups of the least ambiguity."""
        return min(self.ambiguous, key=lambda count: (self.ambiguous[count], count))

    @property
    def count_by_gap(self) -> int:
        """The number of groups of the largest gap; 1 says that there may be none."""
        return max(self.gap, key=lambda count: self.gap[count])


def consensus(values: ArrayLike, *, most: int, parts: int, seed: int, count: int | None = None) -> Consensus:
    """Cluster patients (n, d) in 2 to `most` groups (K-means) in `parts` random parts each, and take the number of
    groups `count`, or that of the least ambiguity; groups are cut from the average linkage of how often two patients
    were together.

    EvaluationError for fewer than 6 patients, 2 groups or 2 parts, or a `count` that was not tried.
    """
    rows = np.asarray(values, np.float64)
    if len(rows) < 6 or most < 2 or parts < 2:
        raise EvaluationError(f"consensus: got {len(rows)} patients, {most} groups, {parts} parts; wanted 6, 2 and 2")
    counts = range(2, min(most, round(SHARE * len(rows)) - 1) + 1)
    shares = {each: _together(rows, each, parts=parts, seed=seed) for each in counts}
    if count is not None and count not in shares:
        raise EvaluationError(f"consensus: got {count} groups, wanted one of {', '.join(map(str, counts))}")
    pairs = np.triu_indices(len(rows), k=1)
    ambiguous = {each: float(((own[pairs] > APART) & (own[pairs] < TOGETHER)).mean()) for each, own in shares.items()}
    chosen = min(ambiguous, key=lambda each: (ambiguous[each], each)) if count is None else count
    joined = AgglomerativeClustering(chosen, metric="precomputed", linkage="average")  # as many groups, even of ties
    groups = joined.fit_predict(1 - shares[chosen])
    gap = {each: _gap(rows, each, seed=seed) for each in range(1, max(counts) + 1)}
    return Consensus(groups=groups.astype(np.int64), count=chosen, ambiguous=ambiguous, gap=gap)


def _together(rows: Floats, count: int, *, parts: int, seed: int) -> Floats:
    """Share of the parts with both of two patients in which they were in one group, (n, n)."""
    rng = np.random.default_rng([seed, count])
    both, met = (np.zeros((len(rows), len(rows))) for _ in range(2))
    for number in range(parts):
        chosen = rng.choice(len(rows), round(SHARE * len(rows)), replace=False)
        labels = KMeans(count, n_init=1, random_state=seed + number).fit_predict(rows[chosen])
        met[np.ix_(chosen, chosen)] += 1
        both[np.ix_(chosen, chosen)] += labels[:, None] == labels
    share = np.divide(both, met, out=np.zeros_like(both), where=met > 0)
    np.fill_diagonal(share, 1)
    return share


def _gap(rows: Floats, count: int, *, seed: int, references: int = 10) -> float:
    """Mean log spread of as many uniform points in the box of the principal axes, less that of the patients."""
    centred = rows - rows.mean(axis=0)
    turned = centred @ np.linalg.svd(centred, full_matrices=False)[2].T
    low, high = turned.min(axis=0), turned.max(axis=0)
    rng = np.random.default_rng([seed, count])

    def spread(points: Floats) -> float:
        return float(np.log(KMeans(count, n_init=2, random_state=seed).fit(points).inertia_ + 1e-12))

    drawn = [spread(rng.uniform(low, high, turned.shape)) for _ in range(references)]
    return float(np.mean(drawn)) - spread(turned)


RESAMPLES = 100


def cluster_stability(
    values: ArrayLike,
    *,
    cluster: Callable[[np.ndarray, int], ArrayLike],
    resamples: int = RESAMPLES,
    share: float = SHARE,
    seed: int = 0,
) -> Estimate:
    """Mean adjusted Rand index of the clustering of all patients with that of random parts of them, on those parts.

    `values` (n, …) has a row a patient; `cluster(values, seed)` gives the group of each row, and must itself do all
    that was chosen by these patients, such as selecting columns. 1: the same groups in every subsample; 0: as alike
    as random groups of these sizes. The limits are the 2.5th and 97.5th percentile over resamples, which share
    patients: they show the spread, not the uncertainty of the mean. Ben-Hur, Elisseeff and Guyon 2002 (Pac Symp
    Biocomput 7:6); index: Hubert and Arabie 1985 (doi 10.1007/BF01908075).

    A clustering is stable, too, where the data have no groups but one long axis: compare with `permutation_null`.
    Raises EvaluationError for fewer than two resamples, a share outside (0, 1), or parts of fewer than 3 patients.
    """
    rows = np.asarray(values)
    size = round(share * len(rows))
    if resamples < 2 or not 0 < share < 1 or size < 3:
        raise EvaluationError(
            f"cluster stability: got {resamples} resamples of a share {share} of {len(rows)} patients, wanted 2 or more"
            " of a share between 0 and 1 that is 3 patients or more"
        )
    rng = np.random.default_rng(seed)
    whole = np.asarray(cluster(rows, seed))
    parts = [np.sort(rng.choice(len(rows), size, replace=False)) for _ in range(resamples)]
    found = [adjusted_rand_score(whole[part], cluster(rows[part], seed + 1 + n)) for n, part in enumerate(parts)]
    low, high = np.percentile(found, [2.5, 97.5])
    method = f"mean adjusted Rand index of {resamples} parts of {share:.0%}; limits: percentiles over parts"
    return Estimate(value=float(np.mean(found)), low=float(low), high=float(high), n=len(rows), method=method)
