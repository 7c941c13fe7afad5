"""Studies: all analyses of a paper, from cohorts to what its report shows; one folder a paper."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hepatica.cohort.errors import SettingsError
from hepatica.studies.bae_2025.settings import QUICK as BAE_QUICK
from hepatica.studies.bae_2025.settings import StudySettings as BaeSettings
from hepatica.studies.bae_2025.study import study as bae_2025
from hepatica.studies.li_2025.settings import QUICK, StudySettings
from hepatica.studies.li_2025.study import study as li_2025
from hepatica.studies.wang_2021.study import study as wang_2021
from hepatica.systems.wang_2021_hccnet import SYSTEM as HCCNET

__all__ = ["STUDIES", "Study", "find_study"]


@dataclass(frozen=True, kw_only=True)
class Study:
    """A paper's analyses: `run(cohort, run=…, external=…, settings=…, trainer=…)` does them in the folder `run`.

    `quick` are settings for minutes on two cores.
    """

    settings: Any
    quick: Any
    run: Callable[..., Path]


STUDIES = {
    "bae_2025": Study(settings=BaeSettings(), quick=BAE_QUICK, run=bae_2025),
    "li_2025": Study(settings=StudySettings(), quick=QUICK, run=li_2025),
    "wang_2021": Study(settings=HCCNET.settings, quick=HCCNET.quick, run=wang_2021),
}
"""By first author and year."""


def find_study(name: str) -> Study:
    """The study of that name; SettingsError with those there are."""
    if name not in STUDIES:
        near = difflib.get_close_matches(name, STUDIES, n=1, cutoff=0.3) or list(STUDIES)
        raise SettingsError(f"got the unknown study {name!r}, wanted one such as {', '.join(near)}")
    return STUDIES[name]
