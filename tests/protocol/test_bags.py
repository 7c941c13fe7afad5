"""Bags: a system learns and answers for all rows of a patient or specimen, and says which rows its score comes from."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from hepatica.cohort import Binary, Cohort, MultiClass, Split, Status, Survival, TimeToEvent
from hepatica.networks import Attention, BagNetwork, Instances, masked_max
from hepatica.networks.multiple_instance import BagReading
from hepatica.protocol import Training
from hepatica.protocol.bags import BagPlan, bagged, infer_bags, train_bags
from hepatica.protocol.plain import outcomes


@dataclass(frozen=True, kw_only=True)
class Settings(BagPlan):
    epochs: int = 15
    batch: int = 30
    learning_rate: float = 0.05


OWNERS = [("P2", "S1"), ("P1", "S2"), ("P2", "S1"), ("P2", "S3"), ("P1", "S2")]


def summing(width: int = 1) -> BagNetwork:
    """Mean of the rows, whose one output is their sum."""
    network = BagNetwork(Instances(width, outputs=1))
    nn.init.ones_(network.judge.classify.weight)
    nn.init.zeros_(network.judge.classify.bias)
    return network


@pytest.mark.parametrize(
    ("bag", "wanted"),
    [("patient", {"S1": 3.0, "S2": 3.5, "S3": 3.0}), ("specimen", {"S1": 2.0, "S2": 3.5, "S3": 5.0})],
)
def test_a_bag_is_a_patient_or_a_specimen(rows, bag: str, wanted: dict[str, float]) -> None:
    material = rows(OWNERS, [[1], [2], [3], [5], [5]])
    found = infer_bags(summing(), material, Settings(bag=bag), Survival("death"))
    assert found.specimens.set_index("specimen_id")["score"].to_dict() == pytest.approx(wanted)
    assert found.regions["specimen_id"].tolist() == material.index["specimen_id"].tolist()
    np.testing.assert_allclose(found.regions["score"], 1 / (1 + np.exp(-np.array([1, 2, 3, 5, 5.0]))), rtol=1e-5)
    assert found.signatures.ravel().tolist() == [1, 2, 3, 5, 5]


def test_no_more_rows_than_wanted_are_read(rows) -> None:
    material = rows([("P1", "S1")] * 30 + [("P2", "S2")] * 3, np.arange(33)[:, None])
    found = infer_bags(summing(), material, Settings(rows_read=4), Survival("death"))
    assert found.regions["patient_id"].value_counts().to_dict() == {"P1": 4, "P2": 3}
    assert found.signatures.ravel().tolist() == sorted(found.signatures.ravel())
    own = found.signatures.ravel()[:4].mean()
    assert found.specimens.set_index("patient_id")["score"].to_dict() == pytest.approx({"P1": own, "P2": 31})


def test_long_descriptions_are_kept_short_and_keep_distances(rows) -> None:
    values = np.random.default_rng(0).normal(size=(40, 2000))
    found = infer_bags(summing(2000), rows([("P1", "S1")] * 40, values), Settings(), Survival("death"))
    assert found.signatures.shape == (40, 64)
    whole, short = (np.linalg.norm(each[1:] - each[0], axis=1) for each in (values, found.signatures))
    assert short.mean() / whole.mean() == pytest.approx(1, abs=0.1)


class Widest(nn.Module):
    """The highest of each pixel over the images of a bag, then the mean: what Shi 2021 does."""

    def forward(self, maps: Tensor, mask: Tensor) -> BagReading:
        highest = masked_max(maps, mask).mean(dim=(2, 3))
        return BagReading(highest[:, :2], highest, mask)


def test_images_end_to_end_in_bags_of_any_size_are_read_a_batch_at_a_time() -> None:
    """The same as all of a bag at once, of which no more than `batch` images ever reach the body."""
    seen = []

    class Body(nn.Conv2d):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(len(images))
            return super().forward(images)

    class Images:
        index = pd.DataFrame({"patient_id": ["P1"] * 7 + ["P2"], "specimen_id": ["S1"] * 7 + ["S2"]})
        pixels = np.random.default_rng(0).integers(0, 256, (8, 9, 9, 3), dtype=np.uint8)

        def __len__(self) -> int:
            return len(self.index)

        def read(self, indices: np.ndarray) -> np.ndarray:
            return self.pixels[indices]

    torch.manual_seed(0)
    network = BagNetwork(Widest(), embed=Body(3, 5, 3))
    found = infer_bags(network, Images(), Settings(batch=3), Binary("hcc"))
    assert max(seen) == 3
    whole = torch.from_numpy(Images.pixels / 255).permute(0, 3, 1, 2).float()
    logits = network({"rows": whole[None, :7], "mask": torch.ones(1, 7)}).logits
    score = found.specimens.set_index("specimen_id")["score"]
    assert score["S1"] == pytest.approx(logits.softmax(1)[0, 1].item(), abs=1e-6)


def cohort_of(**columns) -> Cohort:
    count = len(next(iter(columns.values())))
    patients = pd.DataFrame(columns, index=pd.Index([f"P{n}" for n in range(count)], name="patient_id"))
    endpoints = {
        "hcc": Status(name="hcc", column="hcc"),
        "death": TimeToEvent(name="death", time="months", event="event"),
    }
    return Cohort(
        name="x", hospital="x", phantom=True, notes="", digest="", endpoints=endpoints, patients=patients, specimens=()
    )


def test_each_bag_has_its_patients_outcome(rows) -> None:
    cohort = cohort_of(hcc=[1.0, 0.0, np.nan], months=[1.0, 2, 3], event=[1, 1, 0])
    material = rows([("P2", "S1"), ("P1", "S2"), ("P0", "S3"), ("P1", "S4"), ("P1", "S2")], np.arange(5)[:, None])
    task = Binary("hcc")
    samples = bagged(material, outcome=outcomes(cohort, task=task), task=task, settings=Settings(bag="specimen"))
    read, labels = samples.__getitems__([0, 1, 2])
    assert labels.tolist() == [0, 1, 0]
    assert read["rows"][..., 0].tolist() == [[1, 4], [2, 0], [3, 0]]
    followed = bagged(
        material, outcome=outcomes(cohort, task=Survival("death")), task=Survival("death"), settings=Settings()
    )
    assert followed.labels.tolist() == [[3, 0], [2, 1], [1, 1]]


@pytest.mark.parametrize("task", [Binary("hcc"), Survival("death")])
def test_the_outcome_of_a_bag_is_learnt(rows, tmp_path: Path, task: Binary | Survival) -> None:
    rng = np.random.default_rng(0)
    value = rng.normal(size=60)
    cohort = cohort_of(hcc=(value > 0).astype(float), months=np.exp(-value), event=np.ones(60))
    values = value[:, None, None] + rng.normal(scale=[0.5, 5], size=(60, 6, 2))
    material = rows([(f"P{n // 6}", f"S{n // 6}") for n in range(360)], values.reshape(360, 2))
    torch.manual_seed(0)
    outputs = 2 if task.KIND == "binary" else 1
    settings = Settings(rows_drawn=5)
    training = Training(
        network=BagNetwork(Attention(2, outputs=outputs, hidden=8)),
        material=material,
        cohort=cohort,
        split=Split(train=tuple(f"P{n}" for n in range(40)), validation=(), test=tuple(f"P{n}" for n in range(40, 60))),
        settings=replace(settings, monitor="train_loss", epochs=20),
        folder=tmp_path,
        trainer={"accelerator": "cpu"},
        task=task,
    )
    assert train_bags(training) == {"epochs": 20, "bags": 40}
    found = infer_bags(training.network, material, settings, task)
    assert np.corrcoef(found.specimens["score"][40:], value[40:])[0, 1] > 0.8


def test_several_classes_have_a_row_each(rows) -> None:
    torch.manual_seed(0)
    task = MultiClass("grade", classes=("low", "high", "none"))
    found = infer_bags(BagNetwork(Instances(1, outputs=3)), rows(OWNERS, np.arange(5)[:, None]), Settings(), task)
    assert found.specimens.groupby("specimen_id")["score"].sum().to_numpy() == pytest.approx([1, 1, 1])
