"""Verify: whatever was altered in a run, its results or its specimens is named, and nothing else."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hepatica as hp
from hepatica.cli import app
from hepatica.cohort import RunError
from hepatica.cohort.digests import file_digest
from hepatica.runs import predict, validate, verify
from hepatica.runs.verify import RIGHT


@pytest.fixture(scope="module")
def whole(trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a validation and a prediction in it, and its cohorts beside it."""
    folder = tmp_path_factory.mktemp("verified")
    shutil.copytree(trained.run, folder / "run")
    shutil.copytree(trained.other, folder / "b")
    validate(folder / "run", folder / "b", out=folder / "run" / "external" / "b")
    predict(folder / "run", [folder / "b"], out=folder / "predicted", pictures=0)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "copy", copy_function=shutil.copy2)


def wrong(run: Path, *cohorts: Path) -> dict[str, str]:
    table = hp.open_run(run).verify(*cohorts) if (run / "model.json").exists() else verify(run)
    return dict(table[~table["state"].isin(RIGHT)].itertuples(index=False))


def test_all_is_well(copy: Path, trained) -> None:
    assert wrong(copy / "run", copy / "b", trained.cohort) == {}
    assert wrong(copy / "predicted") == {}
    done = CliRunner().invoke(app, ["verify", str(copy / "run"), str(copy / "b")])
    assert done.exit_code == 0
    assert file_digest(copy / "run" / "model.json") in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "metrics.json",
        "predictions.parquet",
        "external/b/metrics.json",
        "external/b/predictions.parquet",
        "external/b/patients.parquet",
        "external/b/contents.json",
    ],
)
def test_an_edited_table_is_named(copy: Path, name: str) -> None:
    path = copy / "run" / name
    path.write_bytes(path.read_bytes() + b" ")
    assert wrong(copy / "run") == {name: "changed"}
    done = CliRunner().invoke(app, ["verify", str(copy / "run")])
    assert done.exit_code == 2
    assert "changed" in done.stdout


@pytest.mark.parametrize("name", ["cutoffs.json", "model.safetensors", "model.json"])
def test_an_edited_model_is_named(copy: Path, name: str) -> None:
    path = copy / "run" / name
    path.write_bytes(path.read_bytes() + b" ")
    table = verify(copy / "run")
    assert dict(table.itertuples(index=False))[name] == "changed"
    with pytest.raises(RunError, match=name):
        hp.open_run(copy / "run")


def test_edited_predictions_are_named(copy: Path) -> None:
    path = copy / "predicted" / "predictions.csv"
    path.write_text(path.read_text().replace("low", "high", 1))
    assert wrong(copy / "predicted") == {"predictions.csv": "changed"}


def test_a_replaced_slide_is_named_by_its_row(copy: Path) -> None:
    slides = sorted((copy / "b" / "slides").glob("*.tif*"))
    shutil.copy(slides[1], slides[0])
    [(what, state)] = wrong(copy / "run", copy / "b").items()
    assert what == "specimens of external/b"
    assert state.startswith("replaced: specimens.csv row")
    assert wrong(copy / "run") == {}


def test_another_cohort_is_not_taken_for_that_of_the_results(copy: Path) -> None:
    text = (copy / "b" / "patients.csv").read_text()
    (copy / "b" / "patients.csv").write_text(text.replace("none", "sorafenib"))
    assert list(wrong(copy / "run", copy / "b").values()) == [
        "do not belong to any results here, or have changed since"
    ]


def test_a_model_handed_on_without_its_patients_is_well(copy: Path) -> None:
    (copy / "run" / "splits.csv").unlink()
    assert wrong(copy / "run") == {}


def test_nothing_recorded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nothing recorded by hepatica"):
        verify(tmp_path)
