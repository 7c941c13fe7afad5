"""Plain: each task's outcome is learnt and scored as its kind wants, and a specimen is the mean of its regions."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from hepatica.cohort import (
    Binary,
    Classes,
    Cohort,
    CohortError,
    Measured,
    MultiClass,
    Quantities,
    Segmentation,
    SettingsError,
    Split,
    Status,
    Survival,
    Task,
    TimeToEvent,
)
from hepatica.cohort.endpoints import Outlined
from hepatica.learn import Plan
from hepatica.networks import Pooled, Reading
from hepatica.protocol import Training
from hepatica.protocol.plain import (
    UNKNOWN,
    binary_loss,
    grad_cam_of_body,
    infer_regions,
    labelled,
    outcomes,
    scores,
    train_plainly,
)
from hepatica.saliency import grad_cam

GRADES = MultiClass("grade", classes=("high", "low", "none"))


@pytest.fixture
def cohort() -> Cohort:
    """Five patients with an endpoint of every kind; some of P4 and all but the follow-up of P5 is unknown."""
    patients = pd.DataFrame(
        {
            "hcc": [1.0, 0.0, 1.0, 0.0, np.nan],
            "months": [6.0, 30.0, 11.0, 9.0, 8.0],
            "event": [1, 0, 1, 0, 2],
            "grade": ["low", "none", "high", None, None],
            "fat": [1.5, 2.0, 3.5, np.nan, np.nan],
        },
        index=pd.Index(["P1", "P2", "P3", "P4", "P5"], name="patient_id"),
    )
    endpoints = {
        "hcc": Status(name="hcc", column="hcc"),
        "death": TimeToEvent(name="death", time="months", event="event"),
        "grade": Classes(name="grade", column="grade", classes=("none", "low", "high")),
        "fat": Measured(name="fat", column="fat", unit="%"),
        "tumour": Outlined(name="tumour", column="nodule_mask"),
    }
    return Cohort(
        name="x", hospital="x", phantom=True, notes="", digest="", endpoints=endpoints, patients=patients, specimens=()
    )


@pytest.mark.parametrize(
    ("task", "wanted"),
    [
        (Binary("hcc"), {"P1": [1], "P2": [0], "P3": [1], "P4": [0]}),
        (Binary("death", horizons=(10,)), {"P1": [1], "P2": [0], "P3": [0], "P5": [0]}),  # P4 was lost before 10
        (
            Binary("death", horizons=(10, None)),
            {"P1": [1, 1], "P2": [0, 0], "P3": [0, 1], "P4": [UNKNOWN, 0], "P5": [0, 0]},
        ),
        (GRADES, {"P1": [1], "P2": [2], "P3": [0]}),  # by the order of the task, not of the cohort
        (Survival("death"), {"P1": [6, 1], "P2": [30, 0], "P3": [11, 1], "P4": [9, 0], "P5": [8, 0]}),
        (Quantities("fat"), {"P1": [1.5], "P2": [2], "P3": [3.5]}),
    ],
)
def test_outcomes_are_those_known_of_the_task(cohort: Cohort, task: Task, wanted: dict[str, list[float]]) -> None:
    found = outcomes(cohort, task=task)
    assert dict(zip(found.index, found.astype(float).to_numpy().tolist(), strict=True)) == wanted


def test_what_has_no_number_a_patient_is_refused(cohort: Cohort) -> None:
    with pytest.raises(SettingsError, match="segmentation task has no plain training"):
        outcomes(cohort, task=Segmentation("tumour"))
    with pytest.raises(CohortError, match="wanted time and event"):
        outcomes(cohort, task=Survival("hcc"))


def test_each_region_has_the_outcome_of_its_patient(cohort: Cohort, rows) -> None:
    material = rows([("P3", "S1"), ("P5", "S2"), ("P1", "S3"), ("P3", "S4")], [[1], [2], [3], [4]])
    classes = labelled(material, outcome=outcomes(cohort, task=GRADES), task=GRADES)
    assert classes.inputs.read(np.arange(3)).ravel().tolist() == [1, 3, 4]
    assert (classes.labels.tolist(), classes.labels.dtype) == ([0, 1, 0], np.int64)
    task = Survival("death")
    followed = labelled(material, outcome=outcomes(cohort, task=task), task=task)
    assert (followed.labels.tolist(), followed.labels.dtype) == ([[11, 1], [8, 0], [6, 1], [11, 1]], np.float32)


def test_scores_are_probabilities_of_classes_and_outputs_of_the_rest() -> None:
    odds = torch.tensor([[1.5], [-0.5]])
    of_event = scores(Binary("hcc"))
    assert torch.allclose(of_event(odds), odds.sigmoid())
    assert torch.allclose(of_event(torch.cat([torch.ones_like(odds), odds + 1], dim=1)), odds.sigmoid())
    several = scores(GRADES)(torch.tensor([[0.0, np.log(2.0), np.log(5.0)]]))
    assert several[0].tolist() == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    for task in (Survival("death"), Quantities("fat")):
        assert torch.equal(scores(task)(odds), odds)


class Logarithm(nn.Module):
    """Says of each vector its logarithm, so that softmax gives its shares; its signature is twice the vector."""

    def forward(self, values: Tensor) -> Reading:
        return Reading(values.log(), 2 * values)


@dataclass(frozen=True, kw_only=True)
class Batch:
    batch: int = 2


def test_a_specimen_has_the_mean_of_its_regions_one_row_a_class(rows) -> None:
    shares = [[0.2, 0.3, 0.5], [0.6, 0.1, 0.3], [0.1, 0.1, 0.8]]
    material = rows([("P2", "S1"), ("P1", "S2"), ("P2", "S1")], shares)
    found = infer_regions(Logarithm(), material, Batch(), GRADES)
    wide = found.specimens.pivot(index="specimen_id", columns="class_or_quantity", values="score")
    assert wide.loc["S1", list(GRADES.classes)].tolist() == pytest.approx([0.15, 0.2, 0.65])
    assert wide.loc["S2", list(GRADES.classes)].tolist() == pytest.approx(shares[1])
    assert set(found.specimens["task"]) == {"multi_class"}
    assert set(found.specimens["endpoint"]) == {"grade"}
    assert found.specimens["horizon_months"].isna().all()
    assert found.regions["score"].tolist() == pytest.approx([0.5, 0.3, 0.8])
    np.testing.assert_allclose(found.signatures, 2 * np.array(shares), rtol=1e-6)


def test_one_score_has_no_class_and_its_horizon(rows) -> None:
    material = rows([("P1", "S1"), ("P1", "S1")], [[0.2, 0.8], [0.6, 0.4]])
    found = infer_regions(Logarithm(), material, Batch(), Binary("death", horizons=(12.0,)))
    row = found.specimens.iloc[0]
    assert len(found.specimens) == 1
    assert row["score"] == pytest.approx(0.6)
    assert row["horizon_months"] == 12
    assert pd.isna(row["class_or_quantity"])


def test_the_map_is_grad_cam_of_the_highest_answer() -> None:
    torch.manual_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8)).astype(np.float32)
    for classes in (2, 3):
        network = Pooled(nn.Conv2d(3, 4, 3), channels=4, classes=classes)
        highest: Callable[[Reading], Tensor] = lambda read, n=classes: (  # noqa: E731
            read.logits[:, 1] if n == 2 else read.logits.max(dim=1).values
        )
        wanted = grad_cam(network, torch.from_numpy(images), layer=network.body, target=highest)
        np.testing.assert_array_equal(grad_cam_of_body(network, images, read=torch.from_numpy), wanted)


def test_the_map_of_a_body_with_hidden_layers_is_of_its_last_feature_map() -> None:
    """A VGG of timm ends in (b, width, 1, 1), of which every map would be flat."""

    class Vgg(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Conv2d(3, 4, 3)

        def forward(self, images: Tensor) -> Tensor:
            return self.features(images).mean((2, 3), keepdim=True)

    torch.manual_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8)).astype(np.float32)
    found = grad_cam_of_body(Pooled(Vgg(), channels=4), images, read=torch.from_numpy)
    assert found.std(axis=(1, 2)).min() > 0


def test_labels_beside_each_other_are_learnt_together(cohort: Cohort) -> None:
    """By hand: two labels, of which one is unknown in one patient; the first decides who is trained on."""
    patients = pd.DataFrame(
        {"a": [1, 0, np.nan], "b": [0, np.nan, 1]}, index=pd.Index(["P", "Q", "R"], name="patient_id")
    )
    endpoints = {name: Status(name=name, column=name) for name in ("a", "b")}
    cohort = replace(cohort, patients=patients, endpoints=endpoints)
    task = Binary("a", beside=("b",))
    assert [each.key for each in task.targets] == ["a", "b"]
    assert task.eligible(cohort) == ("P", "Q")
    assert outcomes(cohort, task=task).loc[["P", "Q"]].to_numpy().tolist() == [[1, 0], [0, UNKNOWN]]
    with pytest.raises(CohortError, match="no endpoint 'c'"):
        Binary("a", beside=("c",)).require(cohort)


@dataclass(frozen=True, kw_only=True)
class Short(Plan):
    epochs: int = 25
    batch: int = 40
    learning_rate: float = 0.1
    monitor: str = "validation_loss"


@pytest.mark.parametrize(("task", "outputs"), [(Binary("hcc"), 2), (Survival("death"), 1), (Quantities("fat"), 1)])
@pytest.mark.parametrize("tuning", [0, 8])
def test_the_outcome_is_learnt(rows, tmp_path: Path, task: Task, outputs: int, tuning: int) -> None:
    """With tuning patients, whose loss is watched, and without any."""
    rng = np.random.default_rng(0)
    names = [f"P{number}" for number in range(40)]
    value = rng.normal(size=40)
    patients = pd.DataFrame(
        {"hcc": (value > 0).astype(float), "months": np.exp(-value), "event": 1, "fat": 2 * value + 1},
        index=pd.Index(names, name="patient_id"),
    )
    endpoints = {
        "hcc": Status(name="hcc", column="hcc"),
        "death": TimeToEvent(name="death", time="months", event="event"),
        "fat": Measured(name="fat", column="fat", unit="%"),
    }
    cohort = Cohort(
        name="x", hospital="x", phantom=True, notes="", digest="", endpoints=endpoints, patients=patients, specimens=()
    )
    torch.manual_seed(0)
    network, material = nn.Linear(1, outputs), rows([(name, name) for name in names], value[:, None])
    training = Training(
        network=network,
        material=material,
        cohort=cohort,
        split=Split(train=tuple(names[tuning:30]), validation=tuple(names[:tuning]), test=tuple(names[30:])),
        settings=Short(),
        folder=tmp_path,
        trainer={"accelerator": "cpu"},
        task=task,
    )
    assert train_plainly(training) == {"epochs": 25}
    found = infer_regions(network, material, Short(), task).specimens["score"].to_numpy()
    assert np.corrcoef(found[30:], value[30:])[0, 1] > 0.7
    if task.KIND == "quantities":
        np.testing.assert_allclose(found[30:], patients["fat"].iloc[30:], atol=0.5)


def test_one_logit_is_learnt_as_two() -> None:
    two, labels = torch.tensor([[0.3, 1.1], [0.2, -0.4]]), torch.tensor([1, 0])
    one = (two[:, 1] - two[:, 0])[:, None]
    assert binary_loss(one, labels).item() == pytest.approx(binary_loss(two, labels).item())


def test_loss_at_several_horizons_is_the_mean_over_the_known_labels() -> None:
    # Log-odds 0 and log 3 of probability 1/2 and 3/4: -log(1/2), -log(3/4); the third label is unknown.
    logits = torch.tensor([[0.0, math.log(3)], [5.0, 0.0]])
    labels = torch.tensor([[1.0, 1.0], [UNKNOWN, 0.0]])
    expected = (math.log(2) + math.log(4 / 3) + math.log(2)) / 3
    assert binary_loss(logits, labels).item() == pytest.approx(expected, rel=1e-6)
    assert binary_loss(logits, torch.full((2, 2), float(UNKNOWN))).item() == 0


def test_each_horizon_has_its_own_score(rows) -> None:
    class Odds(torch.nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return torch.cat([values, values + 1], dim=1)

    material = rows([("P1", "S1"), ("P1", "S1"), ("P2", "S2")], [[0], [2], [-1]])
    task = Binary("death", horizons=(36, 60))
    found = infer_regions(Odds(), material, Batch(), task).specimens
    table = found.set_index(["patient_id", "horizon_months"])["score"]
    sigmoid = 1 / (1 + np.exp(-np.array([0, 2, -1, 1, 3, 0.0])))
    assert table.loc[[("P1", 36), ("P2", 36), ("P1", 60), ("P2", 60)]].tolist() == pytest.approx(
        [sigmoid[:2].mean(), sigmoid[2], sigmoid[3:5].mean(), sigmoid[5]]
    )
    with pytest.raises(SettingsError, match="got 2 outputs of the network, wanted 3"):
        infer_regions(Odds(), material, Batch(), Binary("death", horizons=(12, 36, 60)))
