"""Study: every step of Wang 2021 is done once, and its report follows."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from hepatica.cohort import CohortError, EvaluationError, SpecimenError
from hepatica.runs.folder import READERS
from hepatica.studies import run_study, write_study_report
from hepatica.studies.wang_2021_hccnet.study import _hits

NO_NUMBER = re.compile(r"(?<![\w-])(nan|inf|nat|<na>)(?![\w-])", re.IGNORECASE)
"""What a table prints of a value that it lacks, if that is not asked; groups of one patient have no SD."""


def test_studies_of_a_store_are_brought_before_they_are_judged(file_server, write_cohort, tmp_path: Path) -> None:
    row = f"P1,S1,ct,{file_server.url}/absent.zip"
    folder = write_cohort(tmp_path / "far", specimens=f"patient_id,specimen_id,modality,path\n{row}\n")
    with pytest.raises(SpecimenError, match="row 2 column path: the store has no such file"):
        _hits(SimpleNamespace(settings=None), folder, tmp_path)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def done(trained_ct, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study, begun from a run that was trained already."""
    run = tmp_path_factory.mktemp("wang_2021") / "study"
    shutil.copytree(trained_ct.run, run)
    return run_study(
        "wang_2021_hccnet", trained_ct.cohort, run=run, external=[trained_ct.other], settings=trained_ct.settings
    )


def test_everything_a_report_needs_is_there(done: Path, trained_ct) -> None:
    for folder in (done, done / "external" / "b"):
        assert (folder / READERS).read_bytes() == (
            (trained_ct.cohort if folder == done else trained_ct.other) / READERS
        ).read_bytes()
        assert {"nodule_log_odds", "hcc_log_odds", "nodule"} <= set(pd.read_parquet(folder / "regions.parquet").columns)
        assert (folder / "saliency.parquet").is_file()
        assert (folder / "explained" / "explained.json").is_file()


def test_repeated_it_does_nothing(done: Path, trained_ct) -> None:
    times = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    run_study(
        "wang_2021_hccnet", trained_ct.cohort, run=done, external=[trained_ct.other], settings=trained_ct.settings
    )
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()} == times


def test_report_has_the_chapters_of_the_paper_and_says_phantom(done: Path) -> None:
    page = write_study_report("wang_2021_hccnet", done).read_text(encoding="utf-8")
    for title in ("Beside the paper", "HCC risk score by covariate", "Readers and model"):
        assert title in page
    assert "PHANTOM" in page.upper()
    assert "Traceback" not in page
    tables = sorted((done / "tables").glob("*.csv"))
    assert len(tables) > 10
    assert [each.name for each in tables if NO_NUMBER.search(each.read_text(encoding="utf-8"))] == []
    assert not NO_NUMBER.search(re.sub(r"<style.*?</style>|<[^>]*>", " ", page, flags=re.S))


def test_a_cohort_without_outlines_and_readers_is_reported(
    done: Path, trained_ct, sketches: None, tmp_path: Path
) -> None:
    bare, run = tmp_path / "bare", tmp_path / "study"
    shutil.copytree(trained_ct.other, bare)
    (bare / READERS).unlink()
    pd.read_csv(bare / "specimens.csv", dtype=str).drop(columns="nodule_mask").to_csv(
        bare / "specimens.csv", index=False
    )
    shutil.copytree(done, run, ignore=shutil.ignore_patterns("external", "report.html"))
    run_study("wang_2021_hccnet", trained_ct.cohort, run=run, external=[bare], settings=trained_ct.settings)
    assert pd.read_parquet(run / "external" / "bare" / "saliency.parquet").empty
    page = write_study_report("wang_2021_hccnet", run).read_text(encoding="utf-8")
    assert re.search(r"External[^<]*: no outlines to compare maps with", page)
    assert re.search(r"External[^<]*: no reported patients of both classes were read", page)


def test_shared_patients_are_refused_before_training(trained_ct, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="external cohort"):
        run_study(
            "wang_2021_hccnet",
            trained_ct.cohort,
            run=tmp_path / "s",
            external=[trained_ct.cohort],
            settings=trained_ct.settings,
        )
    assert not (tmp_path / "s").exists()


def test_readings_that_cannot_be_used_are_refused_before_training(trained_ct, tmp_path: Path) -> None:
    shutil.copytree(trained_ct.other, tmp_path / "c")
    (tmp_path / "c" / READERS).write_text("case,reader\nx,y\n")
    with pytest.raises(EvaluationError):
        run_study("wang_2021_hccnet", tmp_path / "c", run=tmp_path / "s", settings=trained_ct.settings)
    assert not (tmp_path / "s").exists()
