"""The study from end to end: complete, resumable, and never done twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hepatica.cohort import CohortError, RunError
from hepatica.protocol import override
from hepatica.studies import run_study


def stamps(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_second_call_writes_nothing(studied: Any) -> None:
    before = stamps(studied.folder)
    studied.again()
    assert stamps(studied.folder) == before


def test_a_lost_part_is_made_again_to_the_last_digit(studied: Any) -> None:
    parts = ["end_to_end/predictions.parquet", "cells/CNN-SASM_1_of_2_fold_1.parquet", "choice.json"]
    kept = [(studied.folder / part).read_bytes() for part in parts]
    for part in parts:
        (studied.folder / part).unlink()
    studied.again()
    assert [(studied.folder / part).read_bytes() for part in parts] == kept


def test_other_settings_are_refused(studied: Any) -> None:
    with pytest.raises(RunError, match="folds"):
        run_study(
            "li_2025_cnn_sasm", studied.cohort, run=studied.folder, settings=override(studied.settings, {"folds": 3})
        )


def test_an_external_cohort_that_cannot_be_judged_is_told_before_training(
    studied: Any, tmp_path: Path, write_cohort: Callable[..., Path]
) -> None:
    head = 'name = "tiny"\n[endpoints.death]\ntime = "overall_survival_months"\nevent = "overall_survival_event"\n'
    with pytest.raises(CohortError, match="recurrence"):
        run_study(
            "li_2025_cnn_sasm",
            studied.cohort,
            run=tmp_path / "run",
            external=[write_cohort(tmp_path / "tiny", head=head)],
        )
    assert not (tmp_path / "run").exists()


def test_patients_of_the_cohort_are_refused_as_external_ones_before_training(studied: Any, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="both in the cohort phantom_A and in the external cohort phantom_A"):
        run_study(
            "li_2025_cnn_sasm",
            studied.cohort,
            run=tmp_path / "run",
            external=[studied.cohort],
            settings=studied.settings,
        )
    assert not (tmp_path / "run").exists()
