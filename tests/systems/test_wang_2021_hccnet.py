"""Wang 2021: the rules of paper 004 that only this system has."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import logit
from torch import nn

from hepatica.cohort import CohortError, SettingsError, load_cohort
from hepatica.networks import Reading
from hepatica.protocol import override
from hepatica.radiology.slices import SliceStore
from hepatica.radiology.slicing import WINDOWS
from hepatica.systems import wang_2021_hccnet
from hepatica.systems.wang_2021_hccnet import SYSTEM, Settings, build, train, weakly_labelled


def test_numbers_of_the_paper_are_the_defaults() -> None:
    plan = Settings()
    assert (plan.epochs, plan.batch, plan.rate, plan.momentum, plan.optimizer) == (120, 256, 0.2, 0.9, "sgd")
    assert plan.schedule == "cosine"
    assert plan.warmup_epochs > 0
    assert plan.mixup > 0
    assert plan.smoothing > 0
    assert (plan.body, plan.weights) == ("resnet34.tv_in1k", "imagenet")
    assert (plan.gate, plan.nodule_free, plan.variant) == ("none", "discard", "weighted_mean")


@pytest.mark.parametrize("batch", [16, 64])
def test_learning_rate_follows_the_batch(batch: int) -> None:
    assert replace(Settings(), batch=batch).rate == pytest.approx(0.2 * batch / 256)


def test_both_networks_are_resnet34_with_two_outputs() -> None:
    with torch.device("meta"):
        network = build(replace(Settings(), weights="random"), pretrained=False)
    for part in network.parts.values():
        # torchvision's ResNet-34 without its 1000-class layer, and a layer of 512 x 2 + 2.
        assert sum(each.numel() for each in part.parameters()) == 21_797_672 - 513_000 + 1_026
    assert list(network.parts) == ["nodule", "hcc"]


def test_one_seed_builds_one_network() -> None:
    first, second = (build(SYSTEM.quick, pretrained=False).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


class Says(nn.Module):
    """A network that calls the slices it is shown, in order, with these log-odds."""

    def __init__(self, odds: list[float]) -> None:
        super().__init__()
        self.odds, self.at = odds, 0

    def forward(self, images: torch.Tensor) -> Reading:
        own = self.odds[self.at : self.at + len(images)]
        self.at += len(images)
        odds = torch.tensor(own)
        return Reading(torch.stack([torch.zeros_like(odds), odds], dim=1), torch.zeros(len(own), 1))


class Blank(SliceStore):
    def read(self, indices: np.ndarray) -> np.ndarray:
        return np.zeros((len(indices), 4, 4, 3), np.uint8)


@pytest.fixture
def slices(tmp_path) -> Blank:
    """Patients with carcinoma: C, whom an expert marked, and D; without: N, and E, whom an expert marked."""
    rows = [("C", 1.0), ("C", 0.0), ("D", np.nan), ("D", np.nan), ("N", np.nan), ("N", np.nan), ("E", 1.0), ("E", 0.0)]
    index = pd.DataFrame(rows, columns=["patient_id", "nodule"]).assign(specimen_id="S", place=range(8))
    specimens = pd.DataFrame({"specimen_id": ["S"], "key": ["k"], "units": ["HU"]})
    return Blank(folder=tmp_path, side=4, window=WINDOWS["liver"], index=index, specimens=specimens, failures=index[:0])


LABEL = pd.Series({"C": 1.0, "D": 1.0, "N": 0.0, "E": 0.0})
FLAGS = [-5.0, 5.0, 5.0, -5.0, 5.0, -5.0, 5.0, -5.0]


def test_weak_labels_are_nodule_slices_of_patients_with_carcinoma(slices: Blank) -> None:
    found = weakly_labelled(Says(FLAGS), slices, LABEL, Settings())
    # C by the expert's marks, D by NoduleNet; their slices without nodule are discarded; the others are all negative.
    assert found.inputs.index["place"].tolist() == [0, 2, 4, 5, 6, 7]
    assert found.labels.tolist() == [1, 1, 0, 0, 0, 0]


def test_slices_without_nodule_may_count_as_negative(slices: Blank) -> None:
    found = weakly_labelled(Says(FLAGS), slices, LABEL, replace(Settings(), nodule_free="negative"))
    assert found.inputs.index["place"].tolist() == list(range(8))
    assert found.labels.tolist() == [1, 0, 1, 0, 0, 0, 0, 0]


def test_flags_begin_at_the_probability_set(slices: Blank) -> None:
    odds = [0.0, 0.0, logit(0.7), logit(0.69), 0.0, 0.0, 0.0, 0.0]
    found = weakly_labelled(Says(odds), slices, LABEL, replace(Settings(), nodule_probability=0.695))
    assert found.inputs.index["place"].tolist() == [0, 2, 4, 5, 6, 7]


def training(slices: Blank) -> SimpleNamespace:
    """A training on all of these slices."""
    cohort = SimpleNamespace(label=lambda target: LABEL)
    split = SimpleNamespace(train=list(LABEL.index), validation=["N"])
    parts = {"nodule": Says([-5.0] * 10), "hcc": Says([])}
    return SimpleNamespace(
        network=SimpleNamespace(parts=parts),
        material=slices,
        settings=Settings(),
        split=split,
        cohort=cohort,
        task=SYSTEM.tasks(Settings())[0],
        augment=None,
    )


@pytest.mark.parametrize(
    ("marks", "of"),
    [
        ([np.nan] * 8, "got 0 inputs of training patients for NoduleNet, 0 of them positive"),
        ([np.nan] * 7 + [1.0], "got 1 inputs of training patients for NoduleNet, 1 of them positive"),
        ([np.nan] * 6 + [1.0, 0.0], "got 4 inputs of training patients for HCCNet, 0 of them positive"),
    ],
)
def test_a_network_that_would_learn_one_kind_alone_is_refused(slices, monkeypatch, marks, of) -> None:
    monkeypatch.setattr(wang_2021_hccnet, "fit_stage", lambda *arguments, **options: None)
    marked = replace(slices, index=slices.index.assign(nodule=marks), failures=pd.DataFrame({"error": ["torn"]}))
    monkeypatch.setattr(Blank, "select", lambda own, patient_ids: own.rows(own.index["patient_id"].isin(patient_ids)))
    with pytest.raises(CohortError, match=f"{of}, wanted both kinds.*1 studies not read: torn"):
        train(training(marked))


def test_patients_of_unknown_diagnosis_are_not_trained_on(trained_ct) -> None:
    cohort = load_cohort(trained_ct.cohort)
    unknown = cohort.patients.index[3]
    patients = cohort.patients.assign(hcc=cohort.patients["hcc"].mask(cohort.patients.index == unknown))
    known = SYSTEM.trainable(replace(cohort, patients=patients), Settings())
    assert set(known) == set(cohort.patients.index) - {unknown}


@pytest.mark.parametrize(
    "changes",
    [{"side": 0}, {"gate": "half"}, {"variant": "printed"}, {"batch": 1}, {"window": "brain"}, {"smoothing": 1}],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(changes))):
        override(Settings(), changes)
