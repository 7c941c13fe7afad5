"""Export: what was exported stands in for the locked network, or is refused."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from hepatica.cohort import RunError, SettingsError, load_cohort
from hepatica.learn import Arrays, infer
from hepatica.runs import open_run
from hepatica.runs.export import export, exported, training_images
from hepatica.systems import li_2025_cnn_sasm


@pytest.fixture(scope="module")
def parts(trained) -> Iterator[None]:
    """The extractor of CNN-SASM as its part that can be exported."""
    own = replace(trained.system, parts=lambda network: nn.ModuleDict({"extractor": network.extractor}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(li_2025_cnn_sasm, "SYSTEM", own)
        yield


@pytest.fixture(scope="module")
def made(trained, parts: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """Runs with an export, in float32 and in whole numbers; copy what you mean to break."""
    folders = {}
    images = training_images(trained.run, trained.cohort)
    for int8 in (False, True):
        run = tmp_path_factory.mktemp("exported") / "run"
        shutil.copytree(trained.run, run)
        export(run, calibration=images, int8=int8)
        folders[int8] = run
    return folders.__getitem__


def record(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "onnx" / "export.json").read_text())
    return found


def scores(network: nn.Module, images: np.ndarray) -> np.ndarray:
    found: np.ndarray = infer(network, Arrays(values=images), batch=8, label="check").logits
    return found


def test_training_images_are_of_training_patients_as_they_were_prepared(trained) -> None:
    images = training_images(trained.run, trained.cohort)
    assert images.dtype == np.uint8
    assert images.shape[1:] == (trained.settings.side, trained.settings.side, 3)
    locked = open_run(trained.run)
    fold = (trained.run / "splits.csv").read_text().splitlines()[1:]
    train = [line.split(",")[0] for line in fold if line.endswith(",train")]
    store = locked.system.prepare(load_cohort(trained.cohort).select(train), locked.settings, trained.run / "prepared")
    np.testing.assert_array_equal(images, store.read(np.arange(len(store))))


def test_files_of_training_patients_in_a_store_are_brought_first(trained, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("hepatica.runs.export.bring_all", lambda found: asked.extend(each.patient_id for each in found))
    training_images(trained.run, trained.cohort)
    fold = (trained.run / "splits.csv").read_text().splitlines()[1:]
    assert set(asked) == {line.split(",")[0] for line in fold if line.endswith(",train")}


def test_another_cohort_and_a_missing_split_are_refused(trained, made: Callable[[bool], Path], tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not trained on cohort"):
        training_images(trained.run, trained.other)
    shutil.copytree(made(False), tmp_path / "run")
    (tmp_path / "run" / "splits.csv").unlink()
    with pytest.raises(RunError, match=r"splits\.csv is missing"):
        training_images(tmp_path / "run", trained.cohort)


@pytest.mark.parametrize("int8", [False, True])
def test_the_export_stands_in_for_the_network(trained, made: Callable[[bool], Path], *, int8: bool) -> None:
    locked, images = open_run(made(int8)), training_images(trained.run, trained.cohort)
    network = exported(locked)
    assert network is not None
    own, other = scores(locked.network.extractor, images), scores(network.extractor, images)  # type: ignore[arg-type]
    told = record(made(int8))["parts"]["extractor"]
    assert told["largest_logit_difference"] == pytest.approx(np.abs(own - other).max(), abs=1e-6)
    assert told["calls_changed"] == (own.argmax(1) != other.argmax(1)).sum()
    assert (told["largest_logit_difference"] < 1e-5) is not int8
    assert (told["file"] == "extractor_int8.onnx") is int8


def test_the_locked_network_stays_as_it_is(made: Callable[[bool], Path]) -> None:
    locked = open_run(made(False))
    body = locked.network.extractor.body  # type: ignore[union-attr]
    network = exported(locked)
    assert network is not None
    assert locked.network.extractor.body is body  # type: ignore[union-attr]
    assert not hasattr(network.extractor, "body")
    assert set(network.heads) == set(locked.network.heads)  # type: ignore[arg-type]


def test_the_system_predicts_with_it(trained, made: Callable[[bool], Path]) -> None:
    locked = open_run(made(False))
    cohort = load_cohort(trained.cohort).select(["A-0001", "A-0002"])
    store = locked.system.prepare(cohort, locked.settings, trained.run / "prepared")
    own, other = (locked.system.read(each, store, locked.settings) for each in (locked.network, exported(locked)))
    np.testing.assert_allclose(other.specimens["score"], own.specimens["score"], atol=1e-5)
    np.testing.assert_allclose(other.signatures, own.signatures, atol=1e-5)


def test_without_an_export_there_is_none(trained) -> None:
    assert exported(open_run(trained.run)) is None


def test_a_record_tells_model_and_versions(trained, made: Callable[[bool], Path]) -> None:
    found = record(made(True))
    assert found["model"] == open_run(trained.run).digest
    assert found["precision"] == "int8"
    assert {"hepatica", "torch", "onnx", "onnxruntime"} == set(found["versions"])
    assert [path.name for path in (made(True) / "onnx").glob("*.onnx")] == ["extractor_int8.onnx"]


@pytest.fixture
def broken(made: Callable[[bool], Path], tmp_path: Path) -> Path:
    shutil.copytree(made(True), tmp_path / "run")
    return tmp_path / "run"


def test_an_export_of_another_model_is_refused(broken: Path) -> None:
    written = json.loads((broken / "onnx" / "export.json").read_text())
    (broken / "onnx" / "export.json").write_text(json.dumps(written | {"model": "0" * 64}))
    with pytest.raises(RunError, match="another model"):
        exported(open_run(broken))


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_damaged_file_is_refused(broken: Path, damage: str) -> None:
    path = broken / "onnx" / "extractor_int8.onnx"
    path.write_bytes(path.read_bytes() + b" ") if damage == "altered" else path.unlink()
    with pytest.raises(RunError, match="missing or was changed after the export"):
        exported(open_run(broken))


def test_a_machine_that_answers_otherwise_is_refused(broken: Path) -> None:
    found = record(broken)
    found["parts"]["extractor"]["probe"]["logits"][0][0] += 0.06
    (broken / "onnx" / "export.json").write_text(json.dumps(found))
    with pytest.raises(RunError, match="this processor computes differently"):
        exported(open_run(broken))


def test_a_system_without_parts_is_refused(
    trained, made: Callable[[bool], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(li_2025_cnn_sasm, "SYSTEM", replace(trained.system, parts=None))
    with pytest.raises(SettingsError, match="no network that can be exported"):
        export(made(False), calibration=np.zeros((2, 64, 64, 3), np.uint8))
