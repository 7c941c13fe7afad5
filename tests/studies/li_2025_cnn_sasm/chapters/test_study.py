"""The report of a real, tiny study: complete, told once, and refused while anything is missing."""

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import hepatica.report
from hepatica.cohort import RunError, load_cohort
from hepatica.report.page.blocks import Figure, Table, Text
from hepatica.studies import write_study_report
from hepatica.studies.li_2025_cnn_sasm.chapters import chapters_of, levels, selection
from hepatica.studies.li_2025_cnn_sasm.found import read_study


@pytest.fixture
def sketched(studied: Any, sketchbook: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the study, whose report is sketched and not rendered."""
    monkeypatch.setattr(hepatica.report, "Gallery", lambda folder, phantom: sketchbook(folder))
    folder: Path = studied.folder
    return folder


def test_the_page_has_every_chapter_and_no_patient(sketched: Path, studied: Any) -> None:
    page = write_study_report("li_2025_cnn_sasm", sketched).read_text()
    assert page.count("<section") == 22
    assert "PHANTOM" in page.upper()
    patients = [*load_cohort(studied.cohort).patients.index, *load_cohort(studied.other).patients.index]
    assert not [patient for patient in patients if patient in page]


def test_a_second_call_leaves_the_page_until_something_was_found(sketched: Path) -> None:
    page = write_study_report("li_2025_cnn_sasm", sketched)
    first = page.stat().st_mtime_ns
    assert write_study_report("li_2025_cnn_sasm", sketched).stat().st_mtime_ns == first
    (sketched / "choice.json").touch()
    assert write_study_report("li_2025_cnn_sasm", sketched).stat().st_mtime_ns > first


def test_tables_are_spreadsheets_too(sketched: Path) -> None:
    write_study_report("li_2025_cnn_sasm", sketched)
    with (sketched / "tables" / "selection_1.csv").open() as file:
        header, *rows = csv.reader(file)
    with (sketched / "tables" / "captions.csv").open() as file:
        captions = {name: caption for name, caption, _ in csv.reader(file)}
    assert "held-out patients whose survival confirms" in captions["selection_1.csv"]
    assert header == ["part", "row", "1/2", "1", "Average"]
    assert [row[1] for row in rows][:2] == ["DenseNet121", "CNN-SASM"]


def test_selection_tells_the_reason_and_compares_with_every_other(
    sketched: Path, sketchbook: Callable[..., Any]
) -> None:
    study, book = read_study(sketched), sketchbook(sketched)
    section = selection.section(study, book)
    assert next(block.text for block in section.blocks if isinstance(block, Text)) == study.choice["reason"]
    compared = next(block for block in section.blocks if isinstance(block, Table) and "against each" in block.caption)
    assert [row[0] for row in compared.rows if len(row) > 1] == ["DenseNet121", "DenseNet121"]
    sizes = next(block for block in section.blocks if isinstance(block, Table) and "Size" in block.caption)
    assert sizes.rows[1][2] == "12,303,980 = 46.94 MiB"
    assert "selection_networks" in book.words


def test_levels_count_tiles_images_and_patients(sketched: Path, sketchbook: Callable[..., Any]) -> None:
    study = read_study(sketched)
    section = levels.section(study, sketchbook(sketched))
    everybody = next(
        block for block in section.blocks if isinstance(block, Table) and block.caption.endswith("all patients.")
    )
    counts = [row[1] for row in everybody.rows if row[0] == "Rows; patients"]
    table, _ = study.run.internal.regions()
    own = table[table["patient_id"].isin(study.run.internal.patients.query("fold == 'test'").index)]
    assert counts == [
        f"{len(own)}; {own['patient_id'].nunique()}",
        f"{own['specimen_id'].nunique()}; {own['patient_id'].nunique()}",
        f"{own['patient_id'].nunique()}; {own['patient_id'].nunique()}",
    ]
    assert len([block for block in section.blocks if isinstance(block, Figure)]) == 3


def test_a_cohort_without_survival_shows_no_denoised_patients(sketched: Path, sketchbook: Callable[..., Any]) -> None:
    study = read_study(sketched)
    away = study.run.external[0]
    endpoints = {name: told for name, told in away.cohort["endpoints"].items() if name != "overall_survival"}
    bare = replace(away, cohort={**away.cohort, "endpoints": endpoints})
    study = replace(study, run=replace(study.run, cohorts=(study.run.internal, bare)))
    section = levels.section(study, sketchbook(sketched))
    assert any("has no overall-survival data" in block.text for block in section.blocks if isinstance(block, Text))
    denoised, everybody = (block for block in section.blocks if isinstance(block, Table))
    assert {row[2] for row in denoised.rows if len(row) > 1} == {"not computable", "0; 0"}
    assert "not computable" not in {row[2] for row in everybody.rows if row[0] == "Rows; patients"}


def test_a_choice_by_external_patients_is_owned_up_to(sketched: Path, sketchbook: Callable[..., Any]) -> None:
    study, book = read_study(sketched), sketchbook(sketched)
    chosen = replace(study, settings=replace(study.settings, generalisation="external"))
    for place in (0, 5):
        kept, told = (str(chapters_of(each)[place](each.run, book).blocks) for each in (study, chosen))
        assert "optimistic" not in kept
        assert "help" in told


def test_one_network_is_compared_with_none(sketched: Path, sketchbook: Callable[..., Any]) -> None:
    study = read_study(sketched)
    alone = replace(
        study,
        settings=replace(study.settings, candidates=("CNN-SASM",)),
        cells=study.cells[study.cells["candidate"] == "CNN-SASM"],
    )
    tables = [block for block in selection.section(alone, sketchbook(sketched)).blocks if isinstance(block, Table)]
    assert not [table for table in tables if "against each" in table.caption]


def test_an_unfinished_study_is_refused(sketched: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sketched, copy, ignore=shutil.ignore_patterns("prepared", "report.html", "out_of_fold.parquet"))
    with pytest.raises(RunError, match=r"out_of_fold.parquet; finish hepatica study"):
        write_study_report("li_2025_cnn_sasm", copy)
