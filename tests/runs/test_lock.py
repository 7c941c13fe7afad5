"""Lock: a locked model is used as it was locked, or not at all."""

import json
import shutil
from pathlib import Path

import pytest

from hepatica.cohort import RunError
from hepatica.runs import RunFolder, open_run, verify_lock


@pytest.fixture
def copy(trained, tmp_path: Path) -> Path:
    """Only what locks the model: a run can be handed on without any patient's data."""
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("settings.toml", "model.json", "model.safetensors", "cutoffs.json", "domain.json"):
        shutil.copy(trained.run / name, folder / name)
    return folder


def test_model_travels_without_patients(copy: Path) -> None:
    locked = open_run(copy)
    assert locked.phantom
    assert set(locked.cutoffs) == {"recurrence_12", "recurrence_24", "recurrence_final"}


def test_weights_file_is_no_pickle(copy: Path) -> None:
    head = (copy / "model.safetensors").read_bytes()[:9]
    assert head[8:9] == b"{"


@pytest.mark.parametrize("name", ["model.safetensors", "cutoffs.json", "domain.json", "settings.toml"])
def test_altered_file_is_refused(copy: Path, name: str) -> None:
    path = copy / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(RunError, match=f"{name} is missing or was changed"):
        open_run(copy)


@pytest.mark.parametrize("name", ["model.safetensors", "cutoffs.json"])
def test_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(RunError, match="missing"):
        open_run(copy)


def test_unfinished_run_says_how_to_go_on(copy: Path) -> None:
    (copy / "model.json").unlink()
    with pytest.raises(RunError, match="hepatica train"):
        open_run(copy)


def test_a_folder_that_is_no_run_is_not_called_unfinished(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is not a run folder: it has no settings\.toml"):
        verify_lock(RunFolder(tmp_path))


def test_run_of_another_format_is_refused(copy: Path) -> None:
    settings = copy / "settings.toml"
    settings.write_text(settings.read_text().replace("format = 4", "format = 99"))
    with pytest.raises(RunError, match="format 99"):
        open_run(copy)


def test_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        open_run(tmp_path)


def test_model_of_another_format_is_refused(copy: Path) -> None:
    record = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps(record | {"format": 0}))
    with pytest.raises(RunError, match="format 0"):
        open_run(copy)
