"""Subtypes: patients clustered by features tied to survival, a null, the stability, and what is enriched in groups."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, fisher_exact, hypergeom, norm, rankdata
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, silhouette_score

from hepatica.cohort import CohortError
from hepatica.evaluate import Estimate, Null, cluster_stability, log_rank_p, permutation_null
from hepatica.evaluate.groups.contingency import compare_shares
from hepatica.omics.path_vectors import cox_statistics

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


def read_gene_sets(path: Path) -> dict[str, frozenset[str]]:
    """Sets of genes by name, of a GMT file: name, description and genes, tabs between. CohortError for another file."""
    sets = {}
    for row, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        name, *rest = line.split("\t")
        if line.strip() and len(rest) < 2:
            raise CohortError(f"{path.name} row {row}: got {1 + len(rest)} cells, wanted a name, a description, genes")
        if line.strip():
            sets[name] = frozenset(filter(None, map(str.strip, rest[1:])))
    return sets


def enriched(chosen: Collection[str], *, among: Collection[str], sets: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """Whether the `chosen` of the genes `among` hold more of each set than as many at random would.

    A row a set that has genes among these: set, genes (of it among these), chosen (of those), p (hypergeometric, one
    sided), q (Benjamini and Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x), the smallest first. `among` are the
    genes that could have been chosen, not all genes there are: another background makes small P of nothing.
    """
    every, selected = set(among), set(chosen) & set(among)
    own = {name: every & set(genes) for name, genes in sets.items()}
    rows = [(name, len(genes), len(genes & selected)) for name, genes in own.items() if genes]
    table = pd.DataFrame(rows, columns=["set", "genes", "chosen"])
    p = hypergeom.sf(table["chosen"] - 1, len(every), table["genes"], len(selected))
    return _adjusted(table.assign(p=np.asarray(p, float)))


def associated(groups: pd.Series, *, mutations: pd.DataFrame) -> pd.DataFrame:
    """Whether groups of patients differ in each mutation (columns of 1, 0 or missing; rows by patient_id).

    A row a mutation that some but not all have: mutation, a share a group, p (Fisher's exact test; of more than two
    groups `compare_shares`), q (Benjamini and Hochberg), the smallest first.
    """
    rows = []
    for name, values in mutations.loc[groups.index].items():
        counts = pd.crosstab(groups, values).to_numpy()
        if min(counts.shape) < 2:
            continue
        p = float(fisher_exact(counts).pvalue) if counts.shape == (2, 2) else compare_shares(counts).p
        rows.append({"mutation": name, **values.groupby(groups).mean().to_dict(), "p": p})
    return _adjusted(pd.DataFrame(rows, columns=["mutation", *sorted(groups.unique()), "p"]))


def _adjusted(table: pd.DataFrame) -> pd.DataFrame:
    q = false_discovery_control(table["p"]) if len(table) else []
    return table.assign(q=q).sort_values("p", kind="stable").reset_index(drop=True)
