"""Published: the paper's numbers are in columns of their own, rates from counts with exact intervals."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hepatica.report.chapters.published import section
from hepatica.report.page.blocks import Section, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.studies.wang_2021_hccnet.chapters.printed import TABLE_2

Sketch = Callable[[Path], Gallery]


def rows_of(made: Section | str) -> dict[str, list[str]]:
    assert not isinstance(made, str)
    [table] = [block for block in made.blocks if isinstance(block, Table)]
    assert {len(row) for row in table.rows} == {len(table.header)}
    return {row[0]: [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row[1:]] for row in table.rows}


def test_rates_are_those_at_the_locked_cutoff_beside_the_papers(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    rows = rows_of(section(study, sketchbook(tmp_path), printed=TABLE_2))
    assert rows["AUROC"][0] == "0.887 (0.855 to 0.919)"
    assert rows["Sensitivity (recall)"][:2] == ["0.784 (0.724 to 0.837)", "0.894 (0.850 to 0.928)"]
    assert rows["F1"][0].startswith("0.824 (")
    tp, fp = map(int, rows["True and false positives"][2].split(", "))
    tn, fn = map(int, rows["True and false negatives"][2].split(", "))
    assert float(rows["Sensitivity (recall)"][2].split()[0]) == pytest.approx(tp / (tp + fn), abs=5e-4)
    assert float(rows["PPV (precision)"][2].split()[0]) == pytest.approx(tp / (tp + fp), abs=5e-4)
    assert tp + fp + tn + fn == len(study.internal.outcomes(study.targets[0]))


def test_what_the_system_file_reports_is_compared(finished: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    rows = rows_of(section(read_run(finished, external=[]), sketchbook(tmp_path)))
    assert rows["AUROC, recurrence at 12 months"][0] == "0.818"


def test_a_system_without_reported_numbers_has_none(finished: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    run = read_run(finished, external=[])
    silent = replace(run, system=replace(run.system, paper=replace(run.system.paper, reported={})))
    assert "no number that the paper reports" in str(section(silent, sketchbook(tmp_path)))


def test_a_metric_that_is_not_known_is_shown_by_its_name(finished: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    run = read_run(finished, external=[])
    numbers = {"cindex recurrence_12": 0.7, "auroc[hcc] recurrence_12": 0.9, "patch_accuracy recurrence_12": 0.8}
    paper = replace(run.system.paper, reported={"internal": numbers})
    rows = rows_of(section(replace(run, system=replace(run.system, paper=paper)), sketchbook(tmp_path)))
    assert rows == {
        "cindex, recurrence at 12 months": ["0.700", "not computable"],
        "AUROC of HCC, recurrence at 12 months": ["0.900", "not computable"],
        "Accuracy of patches, recurrence at 12 months": ["0.800", "see the chapter of classification"],
    }
