"""Readings: what a report could not use is refused before training."""

from pathlib import Path

import pytest

from hepatica.cohort import EvaluationError
from hepatica.runs.folder import READERS
from hepatica.studies.wang_2021_hccnet.study import check_readings

HEAD = "case,reader,arm,truth,call\n"


def test_a_cohort_may_have_none(tmp_path: Path) -> None:
    check_readings(tmp_path)


@pytest.mark.parametrize("rows", ["P1,A,unaided,1,1\nP2,A,unaided,0,0\n", "P1,A,aided,1,1\nP2,A,aided,cyst,cyst\n"])
def test_readings_of_known_arms_pass(tmp_path: Path, rows: str) -> None:
    (tmp_path / READERS).write_text(HEAD + rows)
    check_readings(tmp_path)


def test_other_arms_are_refused(tmp_path: Path) -> None:
    (tmp_path / READERS).write_text(HEAD + "P1,A,first,1,1\nP2,A,first,0,0\n")
    with pytest.raises(EvaluationError, match="got the arm first, wanted unaided or aided; correct the column arm"):
        check_readings(tmp_path)
