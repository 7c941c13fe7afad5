"""External: cohorts that cannot validate are refused, and each gets a name of its own."""

from pathlib import Path

import pytest

from hepatica.cohort import CohortError, load_cohort
from hepatica.studies.external import check_external, external_names


def test_names_are_numbered_where_they_stand_twice(tmp_path: Path) -> None:
    assert external_names([tmp_path / "a" / "x", tmp_path / "b" / "x", tmp_path / "y"]) == ["x_1", "x_2", "y"]


def test_same_patients_of_one_hospital_are_refused(write_cohort, tmp_path: Path) -> None:
    cohort = load_cohort(write_cohort(tmp_path / "a"))
    again = write_cohort(tmp_path / "b")
    with pytest.raises(CohortError, match="the external cohort tiny"):
        check_external([again], cohort=cohort, endpoint="recurrence")
    with pytest.raises(CohortError, match="no endpoint 'hcc'"):
        check_external([again], cohort=cohort, endpoint="hcc")
