"""Enrichment: which sets of genes, and which mutations, go with a selection of genes or with groups of patients."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, fisher_exact, hypergeom

from hepatica.cohort import CohortError
from hepatica.evaluate.groups.contingency import compare_shares


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
