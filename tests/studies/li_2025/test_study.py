"""The study from end to end: complete, resumable, and never done twice."""

from pathlib import Path
from typing import Any

import pytest

from hepatica.cohort import RunError, SettingsError
from hepatica.protocol import override
from hepatica.studies import STUDIES, find_study
from hepatica.studies.li_2025.study import study


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
        study(studied.cohort, run=studied.folder, settings=override(studied.settings, {"folds": 3}))


def test_studies_are_found_by_name() -> None:
    assert find_study("li_2025") is STUDIES["li_2025"]
    with pytest.raises(SettingsError, match="li_2025"):
        find_study("li_2024")
