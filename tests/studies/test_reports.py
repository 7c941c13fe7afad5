"""Studies: every study has its report."""

from pathlib import Path

import pytest

from hepatica.cohort import SettingsError
from hepatica.studies import STUDIES
from hepatica.studies.reports import REPORTS, write_study_report


def test_every_study_has_a_report() -> None:
    assert set(REPORTS) == set(STUDIES)


def test_unknown_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="wanted one of bae_2025, li_2025, wang_2021"):
        write_study_report("lee_2020", tmp_path)
