"""Studies: the report of each study, by the study's name."""

from collections.abc import Callable
from pathlib import Path

from hepatica.cohort.errors import SettingsError
from hepatica.studies.bae_2025.chapters import write_study_report as bae_2025
from hepatica.studies.li_2025.chapters import write_study_report as li_2025
from hepatica.studies.wang_2021.chapters import write_study_report as wang_2021

REPORTS: dict[str, Callable[[Path], Path]] = {"bae_2025": bae_2025, "li_2025": li_2025, "wang_2021": wang_2021}


def write_study_report(name: str, folder: Path) -> Path:
    """Write the report of the study of that name, done in `folder`; its page. SettingsError for an unknown name."""
    if name not in REPORTS:
        raise SettingsError(f"got the unknown study {name!r}, wanted one of {', '.join(REPORTS)}")
    return REPORTS[name](folder)
