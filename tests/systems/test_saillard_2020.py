"""Saillard 2020: sizes counted by hand, and trained on features in CLAM's layout, without a slide."""

import math
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hepatica.cohort import CohortError, load_cohort, read_predictions
from hepatica.cohort.atomic import read_json, write_json
from hepatica.evaluate.survival.concordance import c_index
from hepatica.runs import predict, train, validate
from hepatica.systems.saillard_2020 import SCHMOWDER, SYSTEM, Schmowder, Settings, build

TOML = """
name = "{name}"
hospital = "{name}"
phantom = true

[endpoints.overall_survival]
time = "months"
event = "death"
"""


def clam_cohort(folder: Path, *, name: str, seed: int, count: int = 48) -> Path:
    """Patients whose highest values of the first feature, in a tenth of their tiles, rise with their risk."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=count)
    (folder / "h5_files").mkdir(parents=True)
    for number in range(count):
        features = rng.normal(size=(40, 6)).astype(np.float32)
        features[:4, 0] += 3 + 2 * risk[number]
        places = 256 * np.stack(np.divmod(rng.permutation(100)[:40], 10), axis=1)
        with h5py.File(folder / "h5_files" / f"{number}.h5", "w") as file:
            file.create_dataset("features", data=features, maxshape=(None, 6), chunks=(1, 6))
            file.create_dataset("coords", data=places.astype(np.int32), maxshape=(None, 2), chunks=(1, 2))
    ids = [f"{name}{number}" for number in range(count)]
    months = rng.exponential(20 * np.exp(-1.5 * risk))
    died = months < 60
    pd.DataFrame({"patient_id": ids, "months": np.minimum(months, 60).round(2), "death": died.astype(int)}).to_csv(
        folder / "patients.csv", index=False
    )
    paths = [f"h5_files/{number}.h5" for number in range(count)]
    pd.DataFrame({"patient_id": ids, "specimen_id": ids, "modality": "slide", "path": paths}).to_csv(
        folder / "specimens.csv", index=False
    )
    (folder / "cohort.toml").write_text(TOML.format(name=name))
    return folder


def test_parameters_by_hand() -> None:
    """Scorer 2048-128-1; judge of 25 + 25 scores, 50-128-64-1."""
    with torch.device("meta"):
        network = build(Settings(), pretrained=False)
        bag = {"rows": torch.zeros(2, 9, 2048), "mask": torch.ones(2, 9)}
        read = network.judge(bag["rows"], bag["mask"])
        joined = build(SCHMOWDER.settings, pretrained=False)
    scorer = (2048 * 128 + 128) + (128 + 1)
    count = scorer + (50 * 128 + 128) + (128 * 64 + 64) + (64 + 1)
    assert sum(each.numel() for each in network.parameters()) == count == 277_250
    assert (read.logits.shape, read.signature.shape, read.scores.shape) == ((2, 1), (2, 50), (2, 9))
    assert sum(each.numel() for each in joined.parameters()) == count + scorer + (2048 + 1)


def test_schmowder_by_hand() -> None:
    """Two tiles of one feature, 4 and 8, of which the tumour branch gives 1/2 and 1/4: CHOWDER sees 2 and 2, each its
    own score, and the judge adds 10 times the highest and the lowest; the weighted mean is (2 + 2) / (3 / 4).
    """
    judge = Schmowder(1, hidden=1, top=1, bottom=1, score=(), judge=())
    assert judge.mean_risk(torch.ones(1, 1)).item() == 0  # begins without a say
    judge.tumour = nn.Linear(1, 1)
    for layer, weight, bias in (
        (judge.tumour, [[-math.log(3) / 4]], math.log(3)),  # log-odds 0 and -log 3
        (judge.chowder.score[0], [[1.0]], 0.0),
        (judge.chowder.judge[0], [[10.0, 1.0]], 0.0),
        (judge.mean_risk, [[3.0]], 0.5),
    ):
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.fill_(bias)
    read = judge(torch.tensor([[[4.0], [8.0], [99.0]]]), torch.tensor([[1.0, 1, 0]]))
    mean = (4 / 2 + 8 / 4) / (1 / 2 + 1 / 4)
    assert read.logits.item() == pytest.approx(10 * 2 + 2 + 3 * mean + 0.5, rel=1e-5)
    assert read.signature[0].tolist() == pytest.approx([2, 2, mean], rel=1e-5)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clam")
    cohort = clam_cohort(folder / "A", name="A", seed=0)
    settings = replace(SYSTEM.settings, extreme=4, epochs=30, batch=64, learning_rate=0.02, score_width=8)
    train(
        SYSTEM, cohort, run=folder / "run", settings=replace(settings, validation=0.0), trainer={"accelerator": "cpu"}
    )
    return folder / "run"


def test_features_in_clams_layout_train_it(run: Path, tmp_path: Path) -> None:
    cohort = clam_cohort(tmp_path / "B", name="B", seed=1)
    validate(run, cohort, out=tmp_path / "out")
    table = read_predictions(tmp_path / "out" / "predictions.parquet")
    found = table[table["specimen_id"].isna()].set_index("patient_id")["score"]
    patients = load_cohort(cohort).patients.loc[found.index]
    assert c_index(patients["months"], event=patients["death"], score=found).value > 0.65
    regions = pd.read_parquet(tmp_path / "out" / "regions.parquet")
    assert regions["extent"].unique().tolist() == [256]
    assert len(regions) == 48 * 40


def test_the_tumour_branch_learns_from_outlines_of_slides_whose_size_is_unknown(tmp_path: Path) -> None:
    """CLAM's files do not state it. A square holds half of the places of tiles."""
    cohort = clam_cohort(tmp_path / "A", name="A", seed=0)
    square = [[0, 0], [1280, 0], [1280, 9999], [0, 9999]]
    tumour = {"classification": {"name": "Tumor"}}
    write_json(cohort / "a.geojson", {"geometry": {"type": "Polygon", "coordinates": [square]}, "properties": tumour})
    pd.read_csv(cohort / "specimens.csv").assign(annotation="a.geojson").to_csv(cohort / "specimens.csv", index=False)
    settings = replace(SCHMOWDER.settings, epochs=1, tumour_epochs=1, validation=0.0, score_width=8, extreme=4)
    train(SCHMOWDER, cohort, run=tmp_path / "run", settings=settings, trainer={"accelerator": "cpu"})
    found = read_json(tmp_path / "run" / "model.json")["training"]
    assert found["of tumour"] == pytest.approx(found["outlined tiles"] / 2, rel=0.2)


def test_a_slide_is_not_read_by_a_model_of_features_made_elsewhere(run: Path, tmp_path: Path) -> None:
    slide = tmp_path / "slide.tif"
    slide.write_bytes(b"any")
    with pytest.raises(CohortError, match=r"trained on features made elsewhere.*column `features`"):
        predict(run, [slide], out=tmp_path / "out")
