"""Inputs: what a locked model is asked about, a cohort folder or bare files."""

from collections.abc import Sequence
from pathlib import Path

from hepatica.cohort import CohortError, MicronsPerPixel, Specimen, load_cohort
from hepatica.cohort.specimens import STUDIES


def of_modality(specimens: Sequence[Specimen], modality: str) -> tuple[Specimen, ...]:
    """The specimens of that modality; CohortError when there are none."""
    found = tuple(specimen for specimen in specimens if specimen.modality == modality)
    if not found:
        have = ", ".join(sorted({specimen.modality for specimen in specimens})) or "nothing"
        raise CohortError(f"got specimens of modality {have}, wanted {modality}; see the column of specimens.csv")
    return found


def read_inputs(paths: Sequence[Path], *, modality: str, mpp: MicronsPerPixel | None = None) -> tuple[Specimen, ...]:
    """Specimens of one cohort folder; or of files and folders, taken for one patient each and called by their order.

    A folder is a cohort where it has a cohort.toml; another one is a study, where studies of that modality are folders.
    `row` is the row in specimens.csv, or the place in the order given, counted from 1. CohortError for anything else.
    """
    cohorts = [path for path in paths if (path / "cohort.toml").is_file()]
    if cohorts:
        if len(paths) > 1:
            raise CohortError(
                f"got {len(paths)} inputs, one of them the cohort {cohorts[0]}; give one cohort folder or files"
            )
        return of_modality(load_cohort(cohorts[0]).specimens, modality)
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise CohortError(f"no such file or folder: {', '.join(missing)}")
    folders = [path for path in paths if path.is_dir()]
    if folders and modality not in STUDIES:
        raise CohortError(f"{folders[0]} is a folder without cohort.toml; give a cohort folder, or {modality} files")
    return tuple(
        Specimen(patient_id=f"file {n}", specimen_id=f"file {n}", modality=modality, path=path, row=n, mpp=mpp)
        for n, path in enumerate(paths, start=1)
    )
