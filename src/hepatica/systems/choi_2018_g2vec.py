"""G2Vec: will this patient with HCC die within two years, judging from the expression of co-expressed genes?

Genes whose expression correlates among patients with good, or with poor, outcome are joined by the edges of a gene
network; random walks along these give sets of genes, and a linear network of two layers learns which outcome each set
belongs to. Clusters of the genes' vectors in its first layer, and the t statistic of each gene, give the biomarkers.

Departures:
1. Patients are classified by a ridge logistic regression of the biomarkers, standardised and limited to 2 SD.
2. Everything is learnt from the training patients alone, the selection of genes included.
3. Written from a description of the method; the authors' code has no licence and was not used.
4. `selection` replaces the vectors by other rankings, for comparison: |t|, univariable Cox, lasso.

Unclear:
1. The classifier of patients; whether layers have biases (here none), and how weights are drawn.
2. Among which genes norm and t are scaled to 0..1: here those of the paths. Whether a lone gene is a path: here not.
3. Which cluster is of good outcome where both occur more often in paths of one: here the one that does so less.
4. How modules were made of biomarkers: here those of the two clusters, each by their mean standardised expression.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from hepatica.cohort import Binary
from hepatica.cohort.phantom import RESECTED
from hepatica.cohort.units import Months
from hepatica.learn import Share
from hepatica.networks import Reading, Standardise
from hepatica.omics.network import network_of
from hepatica.omics.path_vectors import (
    PathNetwork,
    Values,
    clusters,
    cox_statistics,
    lasso_statistics,
    learn_paths,
    paths_of_groups,
    t_statistics,
)
from hepatica.omics.room import GENES, GenePlan
from hepatica.protocol import Paper, System, Training
from hepatica.protocol.plain import outcomes, require_both
from hepatica.protocol.rows import RowStore


@dataclass(frozen=True, kw_only=True)
class Settings(GenePlan):
    """The numbers of the paper; "ours" where it is silent."""

    endpoint: str = "overall_survival"  # whose event before `horizon` is the poor outcome
    horizon: Months = Months(24)  # months; the paper's example has 730 days
    network: str = "complete"  # ours; edge list, a file in the cohort folder; "complete": every gene with every other
    selection: Literal["g2vec", "t", "cox", "lasso"] = "g2vec"  # how biomarkers are chosen
    correlation: Share = 0.5  # absolute correlation above which an edge is kept
    walks: PositiveInt = 10  # walks from each gene
    longest: PositiveInt = 80  # genes of a walk, at most
    hidden: PositiveInt = 128  # length of a gene's vector
    held_out: Share = 0.2  # share of the paths by which training is stopped
    other: Literal["largest", "shortest"] = "largest"  # cluster of no outcome; ours: "shortest", the one of least norm
    biomarkers: PositiveInt = 50  # of each of the two clusters that are left
    penalty: PositiveFloat = 100.0  # ours; weight of half the squared coefficients of the classifier
    epochs: int = 500
    batch: int = 1_000_000  # all paths at once
    learning_rate: float = 0.005
    validation: Share = 0.0  # ours
    seed: int = 2018


class G2Vec(nn.Module):
    """Expression (b, genes) to the log-odds of poor outcome (b, 1); the signature is the mean of the two modules, whose
    biomarkers, of good and of poor outcome, `means` (2, genes) weighs. `paths` has the vectors.
    """

    means: Tensor

    def __init__(self, genes: int, *, hidden: int) -> None:
        super().__init__()
        self.paths = PathNetwork(genes, hidden=hidden)
        self.standardise = Standardise(genes)
        self.classify = nn.Linear(genes, 1)
        self.register_buffer("means", torch.zeros(2, genes))

    def limited(self, values: Tensor) -> Tensor:
        """Standardised expression (b, genes), at most 2 SD from the mean; a missing value is the mean."""
        return self.standardise(values)[:, : values.shape[1]].clamp(-2, 2)  # type: ignore[no-any-return]

    def forward(self, values: Tensor) -> Reading:
        """Classify patients."""
        limited = self.limited(values)
        return Reading(self.classify(limited), limited @ self.means.T)


def build(settings: Settings, *, pretrained: bool) -> G2Vec:
    """The untrained networks; the same from one seed."""
    torch.manual_seed(settings.seed)
    return G2Vec(len(settings.features), hidden=settings.hidden)


def train(training: Training[Settings, RowStore]) -> dict[str, Any]:
    """Choose the biomarkers and fit the classifier; `genes.csv` in the work folder says what was found of each gene."""
    outcome = outcomes(training.cohort, task=training.task)
    material = training.material.select(patient_ids=outcome.index.intersection(list(training.split.train)))
    values, owners = material.read(np.arange(len(material))), material.index["patient_id"]
    label = outcome.loc[owners].to_numpy()[:, 0]
    require_both(label, of="the groups of good and poor outcome", hint="add patients, or choose another horizon")
    vectors = training.settings.selection == "g2vec"
    genes, found = by_vectors(training, values, label) if vectors else (by_rank(training, values, label, owners), {})
    genes = genes.reindex(material.columns)
    training.folder.mkdir(parents=True, exist_ok=True)
    genes.to_csv(training.folder / "genes.csv", index_label="gene")
    fit_classifier(training.network, values, label, genes=genes, penalty=training.settings.penalty)
    return found | {"biomarkers": int(genes["biomarker"].eq(True).sum())}


def by_vectors(
    training: Training[Settings, RowStore], values: Values, label: NDArray[Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The genes of the training patients' paths: how many of each group have it, norm, t, group, score, `biomarker`."""
    settings = training.settings
    places = {name.partition(".")[2]: place for place, name in enumerate(settings.features)}
    network, described = network_of(training.cohort, settings.network, genes=tuple(places))
    own = np.array([places[gene] for gene in network.genes])
    walked: dict[str, Any] = {"above": settings.correlation, "walks": settings.walks, "longest": settings.longest}
    paths, poor = paths_of_groups(network, values[:, own], label=label, **walked, seed=settings.seed)
    paths = csr_array((paths.data, own[paths.indices], paths.indptr), shape=(len(poor), values.shape[1]))
    fitted: dict[str, Any] = {"rate": settings.learning_rate, "epochs": settings.epochs, "held_out": settings.held_out}
    record = learn_paths(training.network.paths, paths, poor, **fitted, seed=settings.seed)
    counts = np.stack([paths[poor == each].sum(axis=0) for each in (0, 1)])
    known = np.flatnonzero(counts.sum(axis=0))
    counts, vectors = counts[:, known], training.network.paths.vectors[known]
    genes = pd.DataFrame(counts.T, index=np.array(settings.features)[known], columns=["good_paths", "poor_paths"])
    genes["norm"], genes["t"] = np.linalg.norm(vectors, axis=1), t_statistics(values[:, known], label=label)
    genes["group"] = clusters(vectors, counts=counts, seed=settings.seed, other=settings.other)
    genes["score"] = genes[["norm", "t"]].apply(lambda own: (own - own.min()) / (np.ptp(own) or 1)).mean(axis=1)
    best = genes[genes["group"] != "other"].sort_values("score", ascending=False, kind="stable")
    genes["biomarker"] = genes.index.isin(best.groupby("group").head(settings.biomarkers).index)
    return genes, {"network": described, "paths": len(poor), "genes of paths": len(known), **record}


def by_rank(
    training: Training[Settings, RowStore], values: Values, label: NDArray[Any], owners: pd.Series
) -> pd.DataFrame:
    """All genes with another score, and as `biomarker` as many as of both clusters together, those of no score none."""
    settings, endpoint = training.settings, training.cohort.survival(training.settings.endpoint)
    time, event = training.cohort.patients.loc[owners, [endpoint.time, endpoint.event]].to_numpy(float).T
    score = {
        "t": lambda: t_statistics(values, label=label),
        "cox": lambda: cox_statistics(values, time=time, event=event),
        "lasso": lambda: lasso_statistics(values, label=label),
    }[settings.selection]()
    chosen = pd.Series(score).rank(ascending=False, method="first").le(2 * settings.biomarkers).to_numpy() & (score > 0)
    return pd.DataFrame({"score": score, "biomarker": chosen, "group": "other"}, index=list(settings.features))


def fit_classifier(network: G2Vec, values: Values, label: NDArray[Any], *, genes: pd.DataFrame, penalty: float) -> None:
    """Standardise by these patients, and set the weights of the biomarkers and of the modules; all others are 0."""
    network.standardise.fit(values)
    chosen = genes["biomarker"].eq(True).to_numpy()
    limited = network.limited(torch.from_numpy(values)).numpy()[:, chosen]
    fitted = LogisticRegression(C=1 / penalty, max_iter=1_000).fit(limited, label)
    network.classify.weight.data.zero_()[0, chosen] = torch.from_numpy(fitted.coef_[0]).float()
    network.classify.bias.data[0] = float(fitted.intercept_[0])
    for place, group in enumerate(("good", "poor")):
        own = torch.from_numpy(chosen & genes["group"].eq(group).to_numpy()).float()
        network.means[place] = own / own.sum().clamp(min=1)


SYSTEM = System(
    name="choi_2018_g2vec",
    question="Will this patient with hepatocellular carcinoma die within two years, judging from gene expression?",
    paper=Paper(
        title="G2Vec: Distributed gene representations for identification of cancer prognostic genes",
        authors="Choi J, Oh I, Seo S, Ahn J.",
        journal="Scientific Reports 8:13729",
        year=2018,
        doi="10.1038/s41598-018-32180-0",
        reported={"internal": {"accuracy of held-out paths": 0.8837}},
        patients="135 of TCGA-LIHC in the example with the code",
        network="two linear layers on sets of genes from random walks",
        validation="held-out paths; patients: not found in what is public here",
        code="mathcom/G2Vec, no licence",
    ),
    task=lambda settings: Binary(settings.endpoint, horizons=(settings.horizon,)),
    room=GENES,
    settings=Settings(),
    build=build,
    train=train,
    population=RESECTED,
    trial={"biomarkers": 10},  # ours; of the phantoms' genes
    meaning="probability of death within two years",
    signature=("good outcome", "poor outcome"),
)
