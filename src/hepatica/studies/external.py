"""External: the cohorts of other hospitals that a study validates on."""

from collections.abc import Sequence
from pathlib import Path

from hepatica.cohort import Cohort, load_cohort, refuse_overlap


def check_external(folders: Sequence[Path], *, cohort: Cohort, endpoint: str) -> None:
    """CohortError where one of them lacks the endpoint or shares patients with `cohort`: before hours of training."""
    for folder in folders:
        other = load_cohort(folder)
        other.endpoint(endpoint)
        if other.hospital == cohort.hospital:
            own, others = set(cohort.patients.index), set(other.patients.index)
            refuse_overlap(own, others, first=f"the cohort {cohort.name}", second=f"the external cohort {other.name}")


def external_names(folders: Sequence[Path]) -> list[str]:
    """Where the results of each go: the name of its folder, numbered when it stands there twice."""
    found = [each.resolve().name for each in folders]
    return [name if found.count(name) == 1 else f"{name}_{place}" for place, name in enumerate(found, start=1)]
