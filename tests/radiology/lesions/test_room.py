"""Room: lesions learn their own class, copies stay on their patient's side, patients follow their largest lesion."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from ct_balls import CYST, HCC
from torch import nn

from hepatica.cohort import MultiClass, Split, load_cohort
from hepatica.learn import Arrays, Chosen, Samples
from hepatica.protocol import Training, plain
from hepatica.radiology.lesions.room import (
    LESIONS_CT,
    LesionPlan,
    augment,
    infer_lesions,
    prepare,
    repeated,
    train_lesions,
)

TASK = MultiClass("lesion_type", classes=("hcc", "cyst"))
SETTINGS = LesionPlan(
    epochs=1, batch=4, learning_rate=1e-3, voxels=(1, 12, 12), copies=5, degrees=90.0, shift=(0.0, 1.0, 1.0)
)


class Brightest(nn.Module):
    """Log-odds of HCC against cyst by how bright the arterial phase is; the mean of the network is what it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 2, 1)

    def forward(self, images):
        bright = self.body(images).mean(dim=(2, 3)) * 0
        level = images[:, 1, 4:8, 4:8].mean(dim=(1, 2))
        return bright + torch.stack([4 * level, 4 * (1 - level)], dim=1)


@pytest.fixture(scope="module")
def cohort(lesion_cohort, tmp_path_factory):
    """Six patients: three of a large HCC and a small cyst, three of a cyst; the last has a second cyst."""
    further = ("cyst", (15.0, 10.0, 135.0), 12.0)
    patients = [[HCC, CYST], [CYST], [HCC, CYST], [CYST], [HCC, CYST], [CYST, further]]
    return load_cohort(lesion_cohort(tmp_path_factory.mktemp("six"), patients))


@pytest.fixture(scope="module")
def store(cohort, tmp_path_factory):
    return prepare(cohort, SETTINGS, tmp_path_factory.mktemp("store"))


def index_of(inputs) -> pd.DataFrame:
    """The rows of a store that are read, of whatever chooses among them."""
    rows = np.arange(len(inputs))
    while isinstance(inputs, Chosen):
        rows, inputs = inputs.rows[rows], inputs.inputs
    return inputs.index.iloc[rows]


def test_augmented_copies_never_leave_their_patients_side(cohort, store, tmp_path, monkeypatch):
    split = Split(train=("P1", "P2", "P3"), validation=("P4",), test=("P5", "P6"))
    learnt = {}

    def fit_stage(training, stage, network, samples, **options):
        learnt.update(samples)
        return type("History", (), {"epochs": [1]})()

    monkeypatch.setattr(plain, "fit_stage", fit_stage)
    training = Training(
        network=Brightest(), material=store, cohort=cohort, split=split, settings=SETTINGS, folder=tmp_path, trainer={},
        task=TASK, augment=augment(SETTINGS),
    )  # fmt: skip
    train_lesions(training)
    copies = index_of(learnt["train"].inputs)
    assert len(copies) == 5 * 5  # five lesions of the training patients, five views each
    assert set(copies["patient_id"]) == {"P1", "P2", "P3"}
    assert set(index_of(learnt["validation"].inputs)["patient_id"]) == {"P4"}
    assert (np.array(TASK.classes)[learnt["train"].labels] == copies["label"]).all()  # each lesion its own class


def test_a_lesion_of_unknown_class_is_not_learnt(cohort, store):
    unknown = replace(cohort, lesions=cohort.lesions.assign(label=cohort.lesions["label"].where(lambda c: c != "hcc")))
    samples = plain.labelled(store, outcome=plain.outcomes(unknown, task=TASK), task=TASK)
    assert len(samples) == 7
    assert set(samples.labels) == {1}


def test_even_copies_have_as_many_of_each_class():
    samples = Samples(inputs=Arrays(values=np.zeros((7, 2), np.float32)), labels=np.array([0, 0, 0, 0, 1, 1, 2]))
    found = repeated(samples, copies=2, even=True)
    assert np.bincount(found.labels).tolist() == [8, 8, 8]
    assert set(found.inputs.rows[found.labels == 1]) == {4, 5}


@pytest.mark.parametrize(("pooling", "called"), [("largest", "hcc"), ("mean", "hcc"), ("highest", "hcc")])
def test_specimens_are_pooled_from_their_lesions(store, pooling, called):
    found = infer_lesions(Brightest(), store, replace(SETTINGS, pooling=pooling), TASK)
    lesions = found.lesions.pivot(
        index=["patient_id", "specimen_id", "lesion_id"], columns="class_or_quantity", values="score"
    )
    specimens = found.specimens.pivot(index="patient_id", columns="class_or_quantity", values="score")
    own = lesions.loc["P1"]
    expected = {"largest": own.loc["S1", "1"], "mean": own.mean(), "highest": own.max()}[pooling]
    pd.testing.assert_series_equal(specimens.loc["P1"], expected, check_names=False)
    assert specimens.loc["P1"].idxmax() == called
    assert lesions.loc[("P1", "S1", "2"), "cyst"] > 0.5
    assert len(found.regions) == len(found.signatures) == len(store)


def test_maps_of_flat_and_solid_crops_have_their_size(store):
    images = store.read(np.arange(2))
    assert LESIONS_CT.saliency(Brightest(), images).shape == (2, 12, 12)

    class Solid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Conv3d(3, 4, 3, padding=1, stride=2)

        def forward(self, crops):
            return self.body(crops.transpose(1, 2)).relu().mean(dim=(2, 3, 4))[:, :2]

    torch.manual_seed(0)
    maps = LESIONS_CT.saliency(Solid(), np.random.default_rng(0).random((2, 6, 12, 10, 3), np.float32))
    assert maps.shape == (2, 6, 12, 10)
    assert maps.max() == pytest.approx(1)
