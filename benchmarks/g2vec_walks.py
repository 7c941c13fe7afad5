"""G2Vec walks: our compiled steps over sparse edges against a dense draw of the next gene, on one graph in one run.

    .venv/bin/python benchmarks/g2vec_walks.py

The graph has the size of the paper's example, 7,523 genes and 216,540 edges. The dense step draws from a row over all
genes, those visited at 0, by np.random.choice. Prints microseconds a step (medians of ROUNDS) and their ratio, which
must be 50 or more; then the seconds of 27 epochs on 45,402 paths, as many as the example has.
"""

import statistics
import time

import numpy as np
from scipy.sparse import csr_array

from hepatica.omics.network import distinct_paths, random_walks
from hepatica.omics.path_vectors import PathNetwork, learn_paths

GENES, EDGES, WALKS, LONGEST, ROUNDS, DENSE_STEPS = 7_523, 216_540, 10, 80, 5, 2_000
PATHS, EPOCHS = 45_402, 27


def drawn_graph() -> csr_array:
    """Edges between genes drawn at random, their weights 0.5 to 1."""
    rng = np.random.default_rng(0)
    places = rng.choice(GENES * GENES, EDGES, replace=False)
    return csr_array((rng.uniform(0.5, 1, EDGES), np.divmod(places, GENES)), shape=(GENES, GENES))


def dense_step(graph: csr_array) -> float:
    """Microseconds a step where each row holds all genes."""
    rows, steps, rng = graph[:50].toarray(), 0, np.random.RandomState(0)
    begin = time.perf_counter()
    while steps < DENSE_STEPS:
        weights = rows[steps % 50].copy()
        weights[:LONGEST] = 0
        rng.choice(GENES, p=weights / weights.sum())
        steps += 1
    return 1e6 * (time.perf_counter() - begin) / steps


def sparse_step(graph: csr_array) -> float:
    """Microseconds a step of ours."""
    begin = time.perf_counter()
    walks = random_walks(graph, walks=WALKS, longest=LONGEST, seed=0)
    return 1e6 * (time.perf_counter() - begin) / walks.nnz


if __name__ == "__main__":
    edges = drawn_graph()
    random_walks(edges[:9, :9], walks=1, longest=2, seed=0)  # compiled, or read from numba's cache
    dense, ours = zip(*((dense_step(edges), sparse_step(edges)) for _ in range(ROUNDS)), strict=True)
    theirs, mine = statistics.median(dense), statistics.median(ours)
    start = time.perf_counter()
    walks = random_walks(edges, walks=WALKS, longest=LONGEST, seed=0)
    paths = distinct_paths(walks)
    taken = time.perf_counter() - start
    print(
        f"{GENES:,} genes, {EDGES:,} edges: dense step {theirs:.1f} µs, ours {mine:.3f} µs, ratio {theirs / mine:.0f}"
    )
    print(f"{walks.shape[0]:,} walks of {walks.nnz:,} steps to {paths.shape[0]:,} distinct paths: {taken:.2f} s")
    label = np.random.default_rng(0).integers(0, 2, PATHS)
    own = distinct_paths(random_walks(edges, walks=WALKS, longest=30, seed=0))[:PATHS]
    network, start = PathNetwork(GENES, hidden=128), time.perf_counter()
    found = [learn_paths(network, own, label, rate=0.005, epochs=1, held_out=0.2, seed=0) for _ in range(EPOCHS)]
    taken = time.perf_counter() - start
    print(f"{PATHS:,} paths of {own.nnz / PATHS:.0f} genes, {len(found)} epochs: {taken:.1f} s")
    if theirs < 50 * mine:
        raise SystemExit("wanted a ratio of 50 or more")
