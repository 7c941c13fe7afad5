"""Subtypes: patients clustered by features associated with survival, with a permutation null and the stability."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, silhouette_score

from hepatica.cohort import CohortError
from hepatica.evaluate import Estimate, Null, cluster_stability, log_rank_p, permutation_null
from hepatica.omics.selection import cox_statistics

Values = NDArray[np.floating[Any]]

FEWEST = 3
"""Nodes taken, those associated most with survival, where fewer are significant; and patients who differ. Ours."""

STARTS = 5
"""Random starts of each clustering, the best of which counts. Ours."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subtypes:
    """Patients' groups (n,), 0 the one of most events a month, and `chosen` (d,), the nodes they were clustered by."""

    groups: NDArray[np.int64]
    chosen: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Groups."""
        return int(self.groups.max()) + 1


def chosen_nodes(values: Values, *, time: Values, event: Values, alpha: float) -> NDArray[np.bool_]:
    """Columns of `values` (n, d) associated with survival at P < `alpha`, each in its own Cox model (score test)."""
    z = cox_statistics(values, time=time, event=event)
    significant = z > norm.isf(alpha / 2)
    return np.asarray(significant if significant.sum() >= FEWEST else rankdata(-z, method="ordinal") <= FEWEST)


def find_subtypes(values: Values, *, time: Values, event: Values, alpha: float, most: int, seed: int) -> Subtypes:
    """Choose nodes by survival, cluster patients by them (K-means), in 2 to `most` groups.

    The number of groups is that of the best mean rank of silhouette and Calinski-Harabasz index (ours where they
    disagree). `values` (n, d) are standardised here. CohortError for patients who are nearly all alike.
    """
    chosen = chosen_nodes(values, time=time, event=event, alpha=alpha)
    nodes = values[:, chosen]
    nodes = (nodes - nodes.mean(axis=0)) / np.maximum(nodes.std(axis=0), 1e-12)
    if (different := len(np.unique(nodes, axis=0))) < FEWEST:
        raise CohortError(
            f"got {different} different patients to cluster, wanted {FEWEST} or more; see how many values are missing"
            ", and the setting most_missing"
        )
    counts = range(2, min(most, len(nodes) - 1) + 1)
    found = [KMeans(count, n_init=STARTS, random_state=seed).fit_predict(nodes) for count in counts]
    merits = [[index(nodes, labels) for labels in found] for index in (silhouette_score, calinski_harabasz_score)]
    labels = found[int(np.argmax(sum(rankdata(each) for each in merits)))]
    rates = [event[labels == each].sum() / time[labels == each].sum() for each in np.unique(labels)]
    place = np.empty(len(rates), int)
    place[np.argsort(rates)[::-1]] = np.arange(len(rates))
    return Subtypes(groups=place[labels], chosen=chosen)


def null_of_subtypes(values: Values, *, time: Values, event: Values, permutations: int, **how: Any) -> Null:
    """-log10 of the log-rank P between the subtypes, in the patients they were found in, and again with survival
    permuted among patients. `how` is as in `find_subtypes`.
    """

    def found(order: NDArray[np.int64]) -> float:
        groups = find_subtypes(values, time=time[order], event=event[order], **how).groups
        return -math.log10(max(log_rank_p(time[order], event=event[order], group=groups).value, 1e-300))

    return permutation_null(found, patients=len(values), permutations=permutations, seed=how["seed"])


def stability_of_subtypes(values: Values, *, time: Values, event: Values, resamples: int, **how: Any) -> Estimate:
    """Adjusted Rand index over subsamples of the patients; nodes are chosen and patients clustered again in each."""

    def cluster(rows: NDArray[Any], seed: int) -> NDArray[np.int64]:
        return find_subtypes(rows[:, 2:], time=rows[:, 0], event=rows[:, 1], **how | {"seed": seed}).groups

    return cluster_stability(np.column_stack([time, event, values]), cluster=cluster, resamples=resamples)
