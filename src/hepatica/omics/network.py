"""Network: which genes interact, which of them vary together in a group of patients, and random walks among those.

Source: Choi et al. 2018, Sci Rep 8:13729, doi 10.1038/s41598-018-32180-0; written from its description alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hepatica.cohort import Cohort, SettingsError
from hepatica.cohort.delimited import read_table
from hepatica.cohort.digests import file_digest
from hepatica.cohort.faults import Faults
from hepatica.cohort.named_files import named_inside
from hepatica.evaluate.compiled import compiled

COMPLETE = "complete"
"""The name of a network in which every gene has an edge to every other."""

_CHUNK = 1 << 14
"""Edges whose correlation is computed at once. Ours."""

_MOST_COMPLETE = 3_000
"""Genes up to which every pair can be an edge, 9 million edges. Ours."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneNetwork:
    """Directed edges among `genes`: `source` and `target` (e,) are places in it, by source and then by target."""

    genes: tuple[str, ...]
    source: NDArray[np.int32]
    target: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.source)


def network_of(cohort: Cohort, name: str, *, genes: Sequence[str]) -> tuple[GeneNetwork, str]:
    """The network among these genes of a file in the cohort's folder, or `complete`, and in words which it is.

    SettingsError for a file that is not inside the folder; else as `read_network` and `complete_network`.
    """
    if name == COMPLETE:
        return complete_network(genes), f"complete, {len(genes)} genes"
    path = named_inside(cohort.folder, name, wanted=f"{COMPLETE!r}, or a file of a network")
    found = read_network(path, genes=genes)
    return found, f"{len(found.genes)} genes, {len(found)} edges, sha256 {file_digest(path)}"


def read_network(path: Path, *, genes: Sequence[str]) -> GeneNetwork:
    """The edges among these genes of a table with a header, whose first two columns are where an edge begins and ends.

    The network has those of `genes`, in their order, that the file names; an edge counts once, a loop not at all.
    CohortError where the file is no such table; SettingsError where none of its edges has both ends in `genes`.
    """
    faults = Faults()
    table = read_table(path, faults, wanted=(), unique=())
    if table is not None and table.shape[1] < 2:
        faults.add(path.name, "got one column, wanted two: the gene where an edge begins, and the one where it ends")
    faults.raise_if_any(path)
    assert table is not None
    named = set(table.iloc[:, 0]) | set(table.iloc[:, 1])
    chosen = tuple(gene for gene in genes if gene in named)
    places = pd.Series(np.arange(len(chosen)), index=pd.Index(chosen))
    ends = [places.reindex(table.iloc[:, column]).to_numpy() for column in (0, 1)]
    known = np.isfinite(ends[0]) & np.isfinite(ends[1]) & (ends[0] != ends[1])
    if not known.any():
        raise SettingsError(
            f"got none of the {len(genes)} genes at hand at both ends of the {len(table)} edges of {path.name}, wanted"
            " some; name genes alike in both (symbols, such as TP53)"
        )
    source, target = np.unique(np.stack([each[known] for each in ends]), axis=1).astype(np.int32)
    return GeneNetwork(genes=chosen, source=source, target=target)


def complete_network(genes: Sequence[str]) -> GeneNetwork:
    """Every gene with every other; SettingsError for more than 3,000 genes."""
    count = len(genes)
    if count > _MOST_COMPLETE:
        raise SettingsError(
            f"got {count} genes for a complete network, wanted at most {_MOST_COMPLETE}; name a file of edges, such as"
            " --set network=edges.tsv"
        )
    source, target = np.nonzero(~np.eye(count, dtype=bool))
    return GeneNetwork(genes=tuple(genes), source=source.astype(np.int32), target=target.astype(np.int32))


def correlated(network: GeneNetwork, values: NDArray[Any], *, above: float = 0.5) -> csr_array:
    """The edges whose ends have a Pearson correlation beyond ±`above` in `values` (patients, genes): (genes, genes).

    Its entries are the absolute correlations. Only pairs that are edges are correlated, some at a time. A gene that is
    constant or has a missing value among these patients has no edge (ours).
    """
    centred = values - values.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit = np.ascontiguousarray(np.divide(centred, length, out=np.full(values.shape, np.nan), where=length > 0).T)
    weight = np.empty(len(network))
    for start in range(0, len(network), _CHUNK):
        edges = slice(start, start + _CHUNK)
        weight[edges] = np.einsum("en,en->e", unit[network.source[edges]], unit[network.target[edges]])
    weight = np.abs(weight)
    kept = weight > above
    ends, genes = (network.source[kept], network.target[kept]), len(network.genes)
    return csr_array((weight[kept], ends), shape=(genes, genes))


def random_walks(graph: csr_array, *, walks: int, longest: int, seed: int) -> csr_array:
    """Walks from every gene along the edges of `graph` (genes, genes): (genes x walks, genes), the n-th step as n + 1.

    The next gene is drawn, among those not visited in the walk, in proportion to the weight of the edge; a walk ends
    where there is none, or with `longest` genes. The same seed gives the same walks.
    """
    count = graph.shape[0]
    visited, starts = _walk(graph.indptr, graph.indices, graph.data, walks, longest, np.random.default_rng(seed))
    step = np.arange(len(visited)) - np.repeat(starts[:-1], np.diff(starts)) + 1
    return csr_array((step, visited, starts), shape=(count * walks, count))


@compiled
def _walk(
    starts: NDArray[np.int32],
    targets: NDArray[np.int32],
    weights: NDArray[np.float64],
    walks: int,
    longest: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    genes = len(starts) - 1
    last_walk = np.full(genes, -1, np.int64)
    visited = np.empty(genes * walks * longest, np.int32)
    ends = np.zeros(genes * walks + 1, np.int64)
    count = 0
    for walk in range(genes * walks):
        here = walk // walks
        while here >= 0 and count - ends[walk] < longest:
            visited[count] = here
            count += 1
            last_walk[here] = walk
            edges = slice(starts[here], starts[here + 1])
            here = _next(targets[edges], weights[edges], last_walk, walk, rng.random())
        ends[walk + 1] = count
    return visited[:count], ends


@compiled
def _next(
    targets: NDArray[np.int32], weights: NDArray[np.float64], last_walk: NDArray[np.int64], walk: int, chance: float
) -> int:
    """The target whose share of the weights of those not visited holds `chance` (0..1); -1 where all are visited."""
    total = 0.0
    for edge in range(len(targets)):
        if last_walk[targets[edge]] != walk:
            total += weights[edge]
    found, left = -1, chance * total
    for edge in range(len(targets)):
        if left >= 0 and last_walk[targets[edge]] != walk:
            found = targets[edge]
            left -= weights[edge]
    return found


def distinct_paths(walks: csr_array) -> csr_array:
    """The different sets of two or more genes (ours) that walks visit, as rows of ones: (paths, genes)."""
    paths = walks.copy()
    paths.data = np.ones(paths.nnz, np.int8)
    paths.sort_indices()
    first = {path: place for place, path in reversed(list(enumerate(_paths(paths)))) if len(path) > 1}
    return paths[sorted(first.values())]


def without_common(one: csr_array, other: csr_array) -> tuple[csr_array, csr_array]:
    """Both sets of distinct paths (p, genes) without those that are in both."""
    keys = _paths(one), _paths(other)
    common = set(keys[0]) & set(keys[1])
    kept = [[place for place, path in enumerate(each) if path not in common] for each in keys]
    return one[kept[0]], other[kept[1]]


def _paths(paths: csr_array) -> list[tuple[int, ...]]:
    """The places of the genes of each row, which are sorted."""
    genes = paths.indices.tolist()
    return [tuple(genes[start:end]) for start, end in pairwise(paths.indptr.tolist())]
