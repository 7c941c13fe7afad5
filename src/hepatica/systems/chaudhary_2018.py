"""Multi-omics autoencoder: to which survival-associated subtype of hepatocellular carcinoma does this tumour belong?

Gene expression, miRNA and methylation are concatenated, each scaled to length 1, and compressed by an autoencoder. The
bottleneck nodes associated with survival are clustered; the number of clusters is chosen by silhouette and
Calinski-Harabasz index. Support vector machines learn the clusters from the features that differ most between them, so
that other patients can be classified, by all tables or by those available. S1 is the subtype with the most deaths.

Departures:
1. Everything is learnt from the training patients alone, and the subtypes are evaluated in others. In the paper, nodes
   are selected, patients clustered and survival compared in the same 360 patients; with survival permuted among
   patients, that comparison is "significant" far more often than in 5 %. How often, the permutation P value and the
   stability of the clusters are among the facts of the locked model.
2. A missing value is set to the mean of the training patients; nearest neighbours would lock patients' values into a
   model.
3. A new patient is scaled by the training patients, not by their own cohort, so that a single one can be classified.
4. The machines are linear, so that they can be locked as weights; scores are the softmax of their margins.
5. A patient without a table is classified by the mean margin of the machines of single tables.
6. Nodes are selected by the score test of Cox's model, which needs no fit.

Unclear (of the paper, the abstract and what others say of it were read; all numbers of Methods are unconfirmed):
1. The activation of the output, here a sigmoid, and how cross-entropy is computed of values that are not probabilities.
2. Batch, learning rate and the penalty of the support vector machines.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import false_discovery_control

from hepatica.cohort import Cohort, Status, Subtypes
from hepatica.cohort.named_files import named_inside
from hepatica.learn import Arrays, Samples, Share, infer
from hepatica.networks import reconstruction_loss
from hepatica.omics.machines import MultiOmics, fit_machines
from hepatica.omics.room import GENES, GenePlan
from hepatica.omics.subtypes import (
    associated,
    enriched,
    find_subtypes,
    null_of_subtypes,
    read_gene_sets,
    stability_of_subtypes,
)
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.plain import fit_stage
from hepatica.protocol.rows import RowStore


@dataclass(frozen=True, kw_only=True)
class Settings(GenePlan):
    """The numbers of the paper, as others quote them; "ours" where they do not."""

    endpoint: str = "overall_survival"  # survival by which nodes are chosen and subtypes compared
    among: str = "hcc"  # ours: label of the patients trained on, where the cohort has it
    tables: tuple[str, ...] = ("expression", "mirna", "methylation")
    selected: tuple[int, ...] = (100, 50, 50)  # features of each table that the machines read, at most
    most_missing: Share = 0.2  # share of the training patients who may lack a feature
    hidden: int = 500  # width of the layers around the bottleneck
    bottleneck: int = 100  # width of the narrowest layer, whose nodes are clustered
    dropout: Share = 0.5  # share of the units left out in training
    activity: float = 1e-4  # weight of the sum of activations in the loss
    weight_decay: float = 2e-3  # the gradient of 0.001 times the sum of squared weights
    alpha: float = 0.05  # P below which a node counts as associated with survival
    most_groups: int = 6  # ours: largest number of clusters tried
    penalty: float = 1.0  # ours: weight of half the squared weights in a machine's loss
    permutations: int = 200  # ours: permutations of survival among patients
    resamples: int = 50  # ours: subsamples of the patients in which the clusters are found again
    pathways: str = ""
    """GMT file in the cohort folder whose gene sets are tested for enrichment in genes that differ; none by default."""
    mutations: str = "mutations"  # ours: table of kind mutation, where the cohort has it
    optimizer: Literal["adam", "sgd"] = "sgd"
    momentum: Share = 0.0
    epochs: int = 10
    batch: int = 16  # ours
    learning_rate: float = 0.01  # ours
    validation: Share = 0.0
    test: Share = 0.4
    seed: int = 2018


FALSE_DISCOVERIES = 0.05  # ours: their rate at which a mutation or a set of genes is named


def build(settings: Settings, *, pretrained: bool) -> MultiOmics:
    """The untrained networks; the same from one seed."""
    torch.manual_seed(settings.seed)
    owner = [settings.tables.index(name.partition(".")[0]) for name in settings.features]
    shape = {name: getattr(settings, name) for name in ("most_groups", "hidden", "bottleneck", "dropout")}
    return MultiOmics(owner, tables=len(settings.tables), **shape)


def eligible(cohort: Cohort, settings: Settings) -> tuple[str, ...]:
    """Patients with the label `among`, or all where the cohort has no such endpoint."""
    label, patients = cohort.endpoints.get(settings.among), cohort.patients
    return tuple(patients.index[patients[label.column] == 1] if isinstance(label, Status) else patients.index)


def train(training: Training[Settings, RowStore]) -> dict[str, Any]:
    """Fit the autoencoder, find the subtypes of the training patients, and fit the machines that classify them."""
    settings, network, endpoint = training.settings, training.network, training.cohort.survival(training.task.endpoint)
    own = training.material.select(patient_ids=training.split.train)
    values = own.read(np.arange(len(own)))
    network.stacked.fit(values, most_missing=settings.most_missing)
    network.standardise.fit(values)
    stacked = network.stacked(torch.from_numpy(values)).numpy()
    samples = {"train": Samples(inputs=Arrays(values=stacked), labels=stacked)}
    fit_stage(training, "autoencoder", network.autoencoder, samples, loss=reconstruction_loss(settings.activity))
    nodes = infer(network, own, batch=settings.batch, label="reading", outputs=lambda read: read.signature)
    followed = training.cohort.patients.loc[own.index["patient_id"]]
    time, event = followed[endpoint.time].to_numpy(float), (followed[endpoint.event] == 1).to_numpy(float)
    how: dict[str, Any] = {"alpha": settings.alpha, "most": settings.most_groups, "seed": settings.seed}
    how |= {"time": time, "event": event}
    found = find_subtypes(nodes, **how)
    p = fit_machines(network, values, found.groups, selected=settings.selected, penalty=settings.penalty)
    null = null_of_subtypes(nodes, permutations=settings.permutations, **how)
    stability = stability_of_subtypes(nodes, resamples=settings.resamples, **how)
    groups = pd.Series([f"S{each + 1}" for each in found.groups], index=followed.index)
    counts = groups.value_counts().sort_index()
    caution = f"the subtypes differ in survival no more than where it is permuted: permutation P {null.p:.2g}"
    return ({"caution": caution} if null.p >= settings.alpha else {}) | {
        "bottleneck nodes associated with survival": f"{found.chosen.sum()} of {len(found.chosen)}",
        "training patients": ", ".join(f"{count} of {name}" for name, count in counts.items()),
        "log-rank P in the training patients (optimistic)": f"{10**-null.observed:.2g}",
        "P below 0.05 with survival permuted": str(null.share_reaching(-np.log10(0.05))),
        "permutation P": f"{null.p:.3g}",
        "adjusted Rand index over subsamples of the training patients": str(stability),
        **associations(training, groups, p),
    }


def associations(training: Training[Settings, RowStore], groups: pd.Series, p: NDArray[np.float64]) -> dict[str, str]:
    """Mutations and gene sets associated with the subtypes of training patients at a false discovery rate of 5 %;
    all of them are in mutations.csv and pathways.csv of the work folder. SettingsError for a file outside the cohort.
    """
    settings, cohort, found = training.settings, training.cohort, {}
    if settings.mutations in cohort.tables:
        mutated = cohort.table(settings.mutations).set_index("patient_id").reindex(groups.index)
        found["mutations"] = associated(groups, mutations=mutated)
    if settings.pathways:
        path = named_inside(cohort.folder, settings.pathways, wanted="a GMT file")
        own = np.char.startswith(settings.features, f"{settings.tables[0]}.")
        genes = np.array([name.partition(".")[2] for name in settings.features])[own]
        differ = false_discovery_control(p[own]) < FALSE_DISCOVERIES
        found["pathways"] = enriched(genes[differ], among=genes, sets=read_gene_sets(path))
    for name, table in found.items():
        table.to_csv(training.folder / f"{name}.csv", index=False)
    named = {name: table.loc[table["q"] < FALSE_DISCOVERIES].iloc[:, 0] for name, table in found.items()}
    return {f"{name} associated with subtypes": ", ".join(each) or "none" for name, each in named.items()}


def predict(network: MultiOmics, material: RowStore, settings: Settings) -> Inference:
    """Probability of each subtype in each patient, S1 first; a region's score is that of S1."""
    margins, signatures = infer(
        network, material, batch=settings.batch, label="reading", outputs=lambda read: (read.logits, read.signature)
    )
    shares = softmax(margins, axis=1)[:, : int(network.groups)]
    patients = material.index[["patient_id", "specimen_id"]]
    rows = [patients.assign(score=own, class_or_quantity=f"S{number}") for number, own in enumerate(shares.T, start=1)]
    specimens = pd.concat(rows, ignore_index=True).astype({"class_or_quantity": "string"})
    return Inference(specimens=specimens, regions=material.index.assign(score=shares[:, 0]), signatures=signatures)


SYSTEM = System(
    name="chaudhary_2018",
    question="To which survival-associated subtype of hepatocellular carcinoma does this tumour belong?",
    paper=Paper(
        title="Deep Learning-Based Multi-Omics Integration Robustly Predicts Survival in Liver Cancer",
        authors="Chaudhary K, Poirion OB, Lu L, Garmire LX.",
        journal="Clinical Cancer Research 24:1248",
        year=2018,
        doi="10.1158/1078-0432.CCR-17-0853",
        reported={
            "development": {"c_index overall_survival": 0.68, "log_rank_p overall_survival": 7.13e-6},
            "LIRI-JP": {"c_index overall_survival": 0.75},
            "NCI": {"c_index overall_survival": 0.67},
            "Chinese": {"c_index overall_survival": 0.69},
            "E-TABM-36": {"c_index overall_survival": 0.77},
            "Hawaiian": {"c_index overall_survival": 0.82},
        },
        patients="360 of TCGA-LIHC; 230, 221, 166, 40 and 27 of five other cohorts",
        network="autoencoder, K-means, support vector machines",
        validation="five other cohorts, of one omic each",
        code="later released in part, not for commercial use",
    ),
    task=lambda settings: Subtypes(settings.endpoint),
    room=GENES,
    settings=Settings(),
    trial={"hidden": 100, "bottleneck": 40, "permutations": 50, "resamples": 20},
    shortest={"permutations": 2, "resamples": 2},
    build=build,
    train=train,
    infer=predict,
    eligible=eligible,
    meaning="probability of S1, the subtype with the most deaths",
)
