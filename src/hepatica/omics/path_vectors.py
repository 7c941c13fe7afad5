"""Path vectors: a vector a gene, learnt from the sets of genes that walks of one or the other group of patients visit.

Source: Choi et al. 2018, Sci Rep 8:13729, doi 10.1038/s41598-018-32180-0; written from its description alone.

Selection: how much each gene, alone or in a lasso, has to do with an outcome, many thousand genes at once.
"""

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from sklearn.cluster import KMeans
from sklearn.linear_model import lasso_path
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, embedding_bag

from hepatica.cohort import CohortError
from hepatica.omics.network import GeneNetwork, correlated, distinct_paths, random_walks, without_common

Values = NDArray[np.floating[Any]]


def t_statistics(values: Values, *, label: NDArray[Any]) -> NDArray[np.float64]:
    """|t| of each column of `values` (n, d) between the patients of label (n,) 1 and 0, of equal variance.

    Here as below a gene that is constant or has a missing value has 0.
    """
    parts = [values[label == each].astype(np.float64) for each in (1, 0)]
    squares, free = sum(each.var(axis=0) * len(each) for each in parts), len(values) - 2
    error = np.sqrt(squares / max(free, 1) * sum(1 / len(each) for each in parts))
    return _ratio(parts[0].mean(axis=0) - parts[1].mean(axis=0), error)


def cox_statistics(values: Values, *, time: NDArray[Any], event: NDArray[Any]) -> NDArray[np.float64]:
    """|z| of the score test of each column of `values` (n, d) in a Cox model of its own; ties after Breslow.

    Cox 1972, doi 10.1111/j.2517-6161.1972.tb00899.x: at a coefficient of 0, where no model has to be fitted.
    """
    order = np.argsort(-time, kind="stable")
    events = np.asarray(event)[order] == 1
    centred = (values - values.mean(axis=0))[order].astype(np.float64)
    at_risk = np.searchsorted(-time[order], -time[order][events], side="right")
    first, second = (np.cumsum(centred**power, axis=0)[at_risk - 1] / at_risk[:, None] for power in (1, 2))
    score, information = (centred[events] - first).sum(axis=0), (second - first**2).sum(axis=0)
    return _ratio(score, np.sqrt(np.abs(information)))


def lasso_statistics(values: Values, *, label: NDArray[Any]) -> NDArray[np.float64]:
    """The penalty at which each column of `values` (n, d), standardised, leaves a lasso of label (n,); 0: never in.

    Tibshirani 1996, doi 10.1111/j.2517-6161.1996.tb02080.x, with squared errors, over 100 penalties down to a hundredth
    of that which leaves none in (ours).
    """
    sd = values.std(axis=0)
    scaled = np.divide(values - values.mean(axis=0), sd, out=np.zeros(values.shape), where=sd > 0)
    penalties, weights, _ = lasso_path(np.nan_to_num(scaled), label - np.mean(label), eps=1e-2, max_iter=5_000)
    return np.asarray(np.where(weights != 0, penalties, 0).max(axis=1))


def _ratio(above: Values, below: Values) -> NDArray[np.float64]:
    """|above / below|, 0 where either is unknown or `below` is 0 but for rounding."""
    known = np.isfinite(above) & (below > 1e-9)
    return np.abs(np.divide(above, below, out=np.zeros(len(above)), where=known))


INITIAL = 0.01
"""Largest size of the weights at which vectors begin, about what PyTorch draws for the paper's thousands of genes: were
it larger where there are fewer, the norm of a vector would be that of its beginning. Ours."""

MOST_GAPS = 0.2
"""Share of genes with a missing value above which these are named as the reason for a lack of paths. Ours."""

Labels = NDArray[np.int64]


def paths_of_groups(
    network: GeneNetwork,
    values: NDArray[Any],
    *,
    label: NDArray[Any],
    above: float,
    walks: int,
    longest: int,
    seed: int,
) -> tuple[csr_array, Labels]:
    """Paths (p, genes) that patients of one label (0 or 1) alone have, and whose they are; `values` (patients, genes).

    CohortError where either group has none.
    """
    graphs = [correlated(network, values[label == each], above=above) for each in (0, 1)]
    every = [random_walks(graph, walks=walks, longest=longest, seed=seed + each) for each, graph in enumerate(graphs)]
    good, poor = without_common(*map(distinct_paths, every))
    counts = [good.shape[0], poor.shape[0]]
    if not all(counts):
        gaps = np.isnan(values).any(axis=0)
        hint = "lower the setting correlation, or give a network with more edges among the genes at hand"
        if gaps.mean() > MOST_GAPS:
            hint = (
                f"{gaps.sum()} of {len(gaps)} genes have a missing value, and such a gene has no edge: fill the values,"
                " or leave out the patients or genes that lack many"
            )
        raise CohortError(
            f"got {counts[0]} paths of the patients of good outcome alone and {counts[1]} of those of poor, wanted some"
            f" of both; {hint}"
        )
    return vstack([good, poor], format="csr"), np.repeat([0, 1], counts)


class PathNetwork(nn.Module):
    """Sets of genes (p, genes) to the log-odds (p,) that they are of label 1; two linear layers without biases.

    The first layer is the vectors of the genes. As both layers are linear, each gene's part of the log-odds is computed
    once and added up over the sets that have it, which is the same and takes `hidden` times fewer steps.
    """

    def __init__(self, genes: int, *, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(genes, hidden, bias=False)
        self.output = nn.Linear(hidden, 1, bias=False)
        nn.init.uniform_(self.hidden.weight, -INITIAL, INITIAL)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """One a gene: (genes, hidden)."""
        found: NDArray[np.float32] = self.hidden.weight.detach().numpy().T
        return found

    def forward(self, paths: csr_array) -> Tensor:
        """Judge sets of genes, rows of ones."""
        genes, starts = (torch.from_numpy(each.astype(np.int64)) for each in (paths.indices, paths.indptr[:-1]))
        return embedding_bag(genes, self.output(self.hidden.weight.T), starts, mode="sum")[:, 0]


def learn_paths(
    network: PathNetwork, paths: csr_array, label: Labels, *, rate: float, epochs: int, held_out: float, seed: int
) -> dict[str, Any]:
    """Train on all paths (p, genes) at once by Adam, until the accuracy on those held out falls for the first time.

    The weights are those after that step. Returns the number of steps and both accuracies.
    """
    parts = np.split(np.random.default_rng(seed).permutation(len(label)), [round(held_out * len(label))])
    (held, held_label), (own, own_label) = ((paths[part], torch.from_numpy(label[part]).float()) for part in parts)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    before, accuracy, epoch = 0.0, 0.0, 0
    while accuracy >= before and epoch < epochs:
        optimizer.zero_grad()
        torch.autograd.backward(binary_cross_entropy_with_logits(network(own), own_label))
        optimizer.step()
        before, accuracy, epoch = accuracy, _share_right(network, held, held_label), epoch + 1
    return {
        "epochs": epoch,
        "accuracy on held-out paths": accuracy,
        "accuracy on learnt paths": _share_right(network, own, own_label),
    }


def _share_right(network: PathNetwork, paths: csr_array, label: Tensor) -> float:
    with torch.no_grad():
        return float(((network(paths) > 0) == (label > 0)).float().mean())


def clusters(
    vectors: NDArray[Any], *, counts: Labels, seed: int, other: Literal["largest", "shortest"] = "largest"
) -> NDArray[np.str_]:
    """Group of each gene (n,): `other`, `good` or `poor`; `counts` (2, n) are the paths of good and poor that have it.

    Of three clusters by k-means `other` is the largest, or the one of the shortest vectors (ours); of the two left,
    `poor` is the one whose genes occur in poor paths the more often (ours where both occur more in paths of one kind).
    CohortError for fewer than three vectors.
    """
    if len(np.unique(vectors, axis=0)) < 3:
        raise CohortError(f"got {len(vectors)} genes in paths, wanted 3 or more; lower the setting correlation")
    cluster, norm = KMeans(3, n_init=10, random_state=seed).fit_predict(vectors), np.linalg.norm(vectors, axis=1)
    own = [cluster == each for each in range(3)]
    order = sorted(own, key=lambda rows: float(rows.sum() if other == "largest" else -norm[rows].mean()))[:2]
    good, poor = sorted(order, key=lambda rows: float(counts[1, rows].sum() / counts[:, rows].sum()))
    return np.select([good, poor], ["good", "poor"], "other")
