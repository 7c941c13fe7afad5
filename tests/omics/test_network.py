"""Network: edges of a file, correlations of a group, walks that never return, and paths of one group alone."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from hepatica.cohort import CohortError, SettingsError, load_cohort
from hepatica.omics.network import (
    GeneNetwork,
    complete_network,
    correlated,
    distinct_paths,
    network_of,
    random_walks,
    read_network,
    without_common,
)

GENES = ("A", "B", "C", "D", "E")


def graph(*edges: str) -> csr_array:
    """Edges such as "AB" among the five genes, each of weight 1."""
    source, target = (np.array([GENES.index(edge[end]) for edge in edges]) for end in (0, 1))
    return csr_array((np.ones(len(edges)), (source, target)), shape=(5, 5))


def names(paths: csr_array) -> list[str]:
    return ["".join(GENES[place] for place in sorted(row.indices)) for row in paths]


def edge_file(folder: Path, text: str) -> Path:
    path = folder / "edges.tsv"
    path.write_text(text)
    return path


def test_edges_among_the_genes_at_hand_are_read_once(tmp_path: Path) -> None:
    path = edge_file(tmp_path, "src\tdest\nC\tA\nA\tC\nC\tA\nB\tB\nA\tX\nD\tC\n")
    network = read_network(path, genes=GENES)
    assert network.genes == ("A", "B", "C", "D")
    pairs = zip(network.source, network.target, strict=True)
    assert [network.genes[a] + network.genes[b] for a, b in pairs] == ["AC", "CA", "DC"]


def test_a_file_that_is_no_edge_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="wanted two"):
        read_network(edge_file(tmp_path, "gene\nA\n"), genes=GENES)
    with pytest.raises(SettingsError, match="name genes alike"):
        read_network(edge_file(tmp_path, "src\tdest\nENSG1\tENSG2\n"), genes=GENES)
    with pytest.raises(CohortError, match="is missing"):
        read_network(tmp_path / "none.tsv", genes=GENES)


def test_every_pair_of_a_few_genes_is_an_edge_of_the_complete_network() -> None:
    assert len(complete_network(GENES)) == 5 * 4
    with pytest.raises(SettingsError, match="at most 3000"):
        complete_network([str(gene) for gene in range(3001)])


def test_the_network_of_a_cohort_is_a_file_of_its_folder_whose_digest_is_kept(write_cohort, tmp_path: Path) -> None:
    cohort = load_cohort(write_cohort(tmp_path / "tiny"))
    path = edge_file(tmp_path / "tiny", "src\tdest\nA\tB\nC\tA\n")
    network, told = network_of(cohort, "edges.tsv", genes=GENES)
    assert (len(network), told) == (2, f"3 genes, 2 edges, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
    assert len(network_of(cohort, "complete", genes=GENES)[0]) == 20
    for outside in ("../edges.tsv", "/etc/passwd", "C:\\edges.tsv"):
        with pytest.raises(SettingsError, match="inside the cohort folder"):
            network_of(cohort, outside, genes=GENES)


def test_correlations_are_those_of_the_whole_matrix_on_edges_alone() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(20, 3)) @ rng.normal(size=(3, 40)) + rng.normal(size=(20, 40))
    values[:, 7], values[3, 8] = 5.0, np.nan
    edges = rng.permutation(np.argwhere(~np.eye(40, dtype=bool)))[:500]
    network = GeneNetwork(genes=tuple(map(str, range(40))), source=edges[:, 0], target=edges[:, 1])
    found = correlated(network, values, above=0.5).toarray()
    with np.errstate(invalid="ignore"):
        r = np.abs(np.corrcoef(values.T))
    wanted = np.zeros((40, 40))
    wanted[*edges.T] = np.where(r[*edges.T] > 0.5, r[*edges.T], 0)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    assert 0 < np.count_nonzero(found) < len(edges)
    assert not found[[7, 8]].any()


def test_walks_of_five_genes_by_hand() -> None:
    """A to B to C and back to A, E to A; D has no edge. From E the whole ring, from the ring never E."""
    walks = random_walks(graph("AB", "BC", "CA", "EA"), walks=2, longest=80, seed=3)
    steps = [[GENES[place] for place in row.indices[np.argsort(row.data)]] for row in walks]
    assert ["".join(each) for each in steps] == ["ABC", "ABC", "BCA", "BCA", "CAB", "CAB", "D", "D", "EABC", "EABC"]
    assert names(distinct_paths(walks)) == ["ABC", "ABCE"]
    assert names(distinct_paths(random_walks(graph("AB", "BC", "CA"), walks=1, longest=2, seed=0))) == [
        "AB",
        "BC",
        "AC",
    ]


def test_paths_of_both_groups_are_dropped_from_both() -> None:
    good, poor = (
        distinct_paths(random_walks(graph(*edges), walks=3, longest=80, seed=0))
        for edges in (("AB", "BA", "CD"), ("AB", "DE", "ED"))
    )
    assert (names(good), names(poor)) == (["AB", "CD"], ["AB", "DE"])
    assert [names(each) for each in without_common(good, poor)] == [["CD"], ["DE"]]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), genes=st.integers(1, 30), density=st.floats(0, 0.5), longest=st.integers(1, 12))
def test_walks_follow_edges_never_return_and_end_only_where_they_must(
    seed: int, genes: int, density: float, longest: int
) -> None:
    rng = np.random.default_rng(seed)
    edges = csr_array((rng.random((genes, genes)) < density) * rng.uniform(0.5, 1, (genes, genes)))
    walks = random_walks(edges, walks=3, longest=longest, seed=seed)
    allowed = edges.toarray() > 0
    for number, row in enumerate(walks):
        visited = row.indices[np.argsort(row.data)]
        assert visited[0] == number // 3
        assert len(set(visited)) == len(visited) <= longest
        assert allowed[visited[:-1], visited[1:]].all()
        assert len(visited) == longest or set(np.flatnonzero(allowed[visited[-1]])) <= set(visited)
    again = random_walks(edges, walks=3, longest=longest, seed=seed)
    assert (walks.indices.tolist(), walks.data.tolist()) == (again.indices.tolist(), again.data.tolist())


def test_the_next_gene_is_drawn_in_proportion_to_the_weight() -> None:
    weights = np.zeros((5, 5))
    weights[0, 1:4] = 0.5, 0.7, 0.8
    first = random_walks(csr_array(weights), walks=40_000, longest=2, seed=5)[:40_000, 1:4].sum(axis=0) / 2
    expected = 40_000 * np.array([0.25, 0.35, 0.4])
    assert ((first - expected) ** 2 / expected).sum() < 13.8  # chi-square, 2 degrees of freedom, P = 0.001


def test_network_of_the_published_example() -> None:
    """Edges, pairs and genes of the edge list that comes with the paper's example, counted beside us by pandas."""
    data = os.environ.get("HEPATICA_DATA")
    if data is None:
        pytest.skip("HEPATICA_DATA is not set: the network of the example is not here")
    path = Path(data, "omics", "g2vec_ex_NETWORK.txt")
    table = pd.read_csv(path, sep="\t", keep_default_na=False)
    network = read_network(path, genes=sorted(set(table.to_numpy().ravel())))
    assert (len(network), len(network.genes)) == (298_799, 9_904)
    pairs = np.unique(np.sort([network.source, network.target], axis=0), axis=1)
    assert pairs.shape[1] == 197_727
