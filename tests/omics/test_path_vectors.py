"""Path vectors: paths of one group alone, the network that learns them, when it stops, and its clusters."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from hepatica.cohort import CohortError
from hepatica.omics.network import complete_network
from hepatica.omics.path_vectors import PathNetwork, clusters, learn_paths, paths_of_groups

RNG = np.random.default_rng(8)
WALK = {"above": 0.5, "walks": 4, "longest": 80, "seed": 1}


def two_groups(patients: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Expression of genes 0 to 3, which vary together in patients of label 0, 4 to 7, which do in 1, and two others."""
    label, values = np.arange(patients) % 2, RNG.normal(size=(patients, 10))
    for group in (0, 1):
        own = slice(4 * group, 4 * group + 4)
        values[label == group, own] = values[label == group, 4 * group, None] + 0.5 * values[label == group, own]
    return values, label


def test_paths_of_a_group_are_of_the_genes_that_vary_together_in_it() -> None:
    values, label = two_groups()
    paths, poor = paths_of_groups(complete_network(tuple("ABCDEFGHIJ")), values, label=label, **WALK)
    for group in (0, 1):
        own = paths[poor == group]
        assert set(own.indices) == set(range(4 * group, 4 * group + 4))
    with pytest.raises(CohortError, match="lower the setting correlation"):
        paths_of_groups(complete_network(tuple("ABCDEFGHIJ")), values, label=label, **WALK | {"above": 0.999})


def test_parameters_of_the_published_example_and_its_output() -> None:
    """7,523 genes, 128 wide: 7,523 x 128 weights of vectors and 128 of the output."""
    with torch.device("meta"):
        network = PathNetwork(7_523, hidden=128)
    assert sum(each.numel() for each in network.parameters()) == 7_523 * 128 + 128 == 963_072


def test_sums_of_parts_are_the_two_layers_on_many_hot_paths() -> None:
    network, dense = PathNetwork(12, hidden=5), (RNG.random((30, 12)) < 0.4).astype(np.float32)
    wanted = network.output(network.hidden(torch.from_numpy(dense)))[:, 0]
    torch.testing.assert_close(network(csr_array(dense)), wanted)


def test_training_stops_at_the_first_fall_of_the_accuracy_on_held_out_paths() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 300)
    paths = csr_array((rng.random((300, 40)) < 0.15 + 0.1 * label[:, None] * (np.arange(40) < 20)).astype(np.int8))

    def accuracy(epochs: int) -> tuple[int, float]:
        torch.manual_seed(0)
        found = learn_paths(PathNetwork(40, hidden=16), paths, label, rate=0.005, epochs=epochs, held_out=0.2, seed=3)
        return found["epochs"], found["accuracy on held-out paths"]

    stopped, last = accuracy(500)
    before = [accuracy(epochs)[1] for epochs in range(1, stopped)]
    assert 1 < stopped < 500
    assert before == sorted(before)
    assert last < before[-1]


def test_the_largest_cluster_is_other_and_the_one_of_more_poor_paths_is_poor() -> None:
    centres = np.repeat([0, 1, 2], [5, 3, 2])
    vectors = np.eye(3)[centres] * 10 + 0.01 * RNG.normal(size=(10, 3))
    counts = np.array([[9] * 5 + [6, 6, 6] + [5, 5], [1] * 5 + [5, 5, 5] + [1, 1]])  # both in good paths more often
    assert clusters(vectors, counts=counts, seed=0).tolist() == ["other"] * 5 + ["poor"] * 3 + ["good"] * 2
    vectors[:5] /= 2
    vectors[8:] /= 20
    found = clusters(vectors, counts=counts, seed=0, other="shortest")
    assert found.tolist() == ["good"] * 5 + ["poor"] * 3 + ["other"] * 2
    with pytest.raises(CohortError, match="wanted 3"):
        clusters(np.zeros((4, 3)), counts=counts[:, :4], seed=0)


def test_missing_values_are_named_where_they_leave_no_edge() -> None:
    values, label = two_groups()
    values[0] = np.nan
    with pytest.raises(CohortError, match="10 of 10 genes have a missing value, and such a gene has no edge"):
        paths_of_groups(complete_network(tuple("ABCDEFGHIJ")), values, label=label, **WALK)
