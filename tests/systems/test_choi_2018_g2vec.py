"""G2Vec: labels and counts of the paper's example, size of the network, biomarkers by hand, training patients alone."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from hepatica.cohort import Split, load_cohort
from hepatica.cohort.endpoints import TimeToEvent
from hepatica.cohort.phantom import RESECTED, phantom_tables
from hepatica.omics.network import read_network
from hepatica.protocol import Training
from hepatica.systems.choi_2018_g2vec import SYSTEM, G2Vec, Settings, build


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = phantom_tables(
        tmp_path_factory.mktemp("genes") / "A", patients=120, seed=5, population=RESECTED, endpoints="all"
    )
    return folder


def trained(folder: Path, work: Path, **changes: object) -> tuple[G2Vec, dict, pd.DataFrame]:
    """The network, what training said of itself, and its table of genes; the last 40 patients are of the test."""
    cohort = load_cohort(folder)
    settings = SYSTEM.completed(cohort, replace(Settings(), biomarkers=5, epochs=30, **changes))
    patients = tuple(cohort.patients.index)
    training = Training(
        network=build(settings, pretrained=False),
        material=SYSTEM.prepare(cohort, settings, work / "prepared"),
        cohort=cohort,
        split=Split(train=patients[:-40], validation=(), test=patients[-40:]),
        settings=settings,
        folder=work,
        trainer={},
        task=SYSTEM.tasks(settings)[0],
    )
    found = SYSTEM.train(training)
    return training.network, found, pd.read_csv(work / "genes.csv", index_col="gene")


def test_locked_network_of_the_published_example() -> None:
    """7,523 genes: the network of paths has 7,523 x 128 + 128 parameters, the classifier 7,523 + 1."""
    with torch.device("meta"):
        network = G2Vec(7_523, hidden=128)
    assert sum(each.numel() for each in network.parameters()) == 963_072 + 7_524


def test_score_and_biomarkers_are_those_of_the_description(cohort: Path, tmp_path: Path) -> None:
    """Half the scaled norm and half the scaled |t|; the best five of either cluster; all others have no weight."""
    network, found, genes = trained(cohort, tmp_path)
    known = genes[genes["group"].notna()]
    assert len(known) == found["genes of paths"] < len(genes)
    norm, t = ((known[name] - known[name].min()) / (known[name].max() - known[name].min()) for name in ("norm", "t"))
    np.testing.assert_allclose(known["score"], 0.5 * norm + 0.5 * t, rtol=1e-6)  # norms are of single precision
    best = {
        gene for _, own in known[known["group"] != "other"].groupby("group") for gene in own["score"].nlargest(5).index
    }
    assert set(known.index[known["biomarker"].astype(bool)]) == best
    weighed = network.classify.weight[0].detach().numpy() != 0
    assert set(genes.index[weighed]) == best
    sizes = known.loc[sorted(best), "group"].value_counts()
    np.testing.assert_allclose(network.means.sum(dim=1), 1, atol=1e-6)
    assert (network.means > 0).sum(dim=1).tolist() == [sizes["good"], sizes["poor"]]


def test_expression_beyond_two_sd_counts_as_two_and_a_missing_value_as_the_mean() -> None:
    network = G2Vec(2, hidden=3)
    network.standardise.fit(np.array([[0.0, 5.0], [2.0, 9.0]], dtype=np.float32))
    with torch.no_grad():
        network.classify.weight.copy_(torch.tensor([[1.0, 10.0]]))
        network.classify.bias.zero_()
    logits = network(torch.tensor([[100.0, 7.0], [2.0, torch.nan], [-9.0, 9.0]])).logits[:, 0]
    assert logits.tolist() == [2.0, 1.0, 8.0]


@pytest.mark.parametrize("selection", ["g2vec", "t", "cox", "lasso"])
def test_nothing_is_learnt_from_test_patients(cohort: Path, tmp_path: Path, selection: str) -> None:
    changed = shutil.copytree(cohort, tmp_path / "changed")
    table = pd.read_csv(changed / "expression.csv")
    table.iloc[-40:, 1:] += np.random.default_rng(0).normal(size=table.iloc[-40:, 1:].shape).round(3)
    table.to_csv(changed / "expression.csv", index=False)
    one, other = (trained(each, tmp_path / each.name, selection=selection) for each in (cohort, changed))
    pd.testing.assert_frame_equal(one[2], other[2], check_exact=True)
    assert 0 < one[1]["biomarkers"] <= 10
    for name, tensor in one[0].state_dict().items():
        assert torch.equal(tensor, other[0].state_dict()[name]), name


def data() -> Path:
    """Real files: labels and network of the example, and two tables of the patients they are of."""
    if "HEPATICA_DATA" not in os.environ:
        pytest.skip("HEPATICA_DATA is not set: the example of the paper and TCGA-LIHC are not here")
    return Path(os.environ["HEPATICA_DATA"])


def porpoise(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "omics" / "porpoise_tcga_lihc_all_clean.csv.zip")
    return table.drop_duplicates("case_id").set_index("case_id")


def test_labels_of_the_example_are_death_within_24_months() -> None:
    """77 followed beyond, 58 dead; 134 of the 135 are in one survival table, 123 in another, and all agree."""
    folder = data()
    label = pd.read_csv(folder / "omics" / "g2vec_ex_CLINICAL.txt", sep="\t", index_col=0)["LABEL"]
    assert label.value_counts().to_dict() == {0: 77, 1: 58}
    table = pd.read_csv(folder / "clinical" / "sheyi_lihc_tcga_pan_can_atlas_2018_clinical_data.tsv", sep="\t")
    table = table.drop_duplicates("Patient ID").set_index("Patient ID")
    status = table["Overall Survival Status"].str.startswith("1").astype(float)
    pan_cancer = pd.DataFrame({"months": table["Overall Survival (Months)"], "event": status})
    other = porpoise(folder)
    other = pd.DataFrame({"months": other["survival_months"], "event": 1 - other["censorship"]})
    for patients, count in ((pan_cancer, 134), (other, 123)):
        ours = TimeToEvent(name="os", time="months", event="event").label(patients, horizon=24.0)
        both = label.index.intersection(ours.index)
        assert len(both) == count
        assert (ours[both] == label[both]).all()


def test_genes_and_edges_of_the_example_that_the_table_at_hand_has() -> None:
    folder = data()
    genes = [name.removesuffix("_rnaseq") for name in porpoise(folder) if name.endswith("_rnaseq")]
    network = read_network(folder / "omics" / "g2vec_ex_NETWORK.txt", genes=genes)
    assert (len(genes), len(network.genes), len(network)) == (1_550, 1_285, 14_511)
