"""Inputs: what a locked model is asked about, a cohort folder or bare files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import Cohort, CohortError, MicronsPerPixel, Specimen, load_cohort
from hepatica.cohort.specimens import FOLDERS
from hepatica.cohort.table import OF_TABLES
from hepatica.protocol import System


def read_inputs(
    paths: Sequence[Path], *, modality: str, mpp: MicronsPerPixel | None = None, force_mpp: bool = False
) -> Cohort:
    """One cohort folder; or files and folders as a cohort, taken for one patient each and called by their order.

    A folder is a cohort where it has a cohort.toml; another one is a study, where studies of that modality are folders.
    `row` is the row in specimens.csv, or the place in the order given, counted from 1. CohortError for anything else.
    """
    cohorts = [path for path in paths if (path / "cohort.toml").is_file()]
    if cohorts:
        if len(paths) > 1:
            raise CohortError(
                f"got {len(paths)} inputs, one of them the cohort {cohorts[0]}; give one cohort folder or files"
            )
        return load_cohort(cohorts[0])
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise CohortError(f"no such file or folder: {', '.join(missing)}")
    if modality in OF_TABLES:
        raise CohortError(
            f"got {paths[0]}, wanted a cohort folder with cohort.toml and patients.csv, whose tables are read"
        )
    folders = [path for path in paths if path.is_dir()]
    if folders and modality not in FOLDERS:
        raise CohortError(f"{folders[0]} is a folder without cohort.toml; give a cohort folder, or {modality} files")
    common: dict[str, Any] = {"modality": modality, "mpp": mpp, "force_mpp": force_mpp}
    specimens = tuple(
        Specimen(patient_id=f"file {n}", specimen_id=f"file {n}", path=path, row=n, **common)
        for n, path in enumerate(paths, start=1)
    )
    patients = pd.DataFrame(index=pd.Index([each.patient_id for each in specimens], name="patient_id"))
    about: dict[str, Any] = {"name": "files", "hospital": "", "phantom": False, "notes": "", "digest": ""}
    return Cohort(**about, endpoints={}, patients=patients, specimens=specimens)


def files_of(system: System[Any, Any], cohort: Cohort) -> tuple[Specimen, ...]:
    """The specimens of a cohort that are files and that the system reads, of all its inputs."""
    modalities = {room.modality for room in system.rooms.values()}
    return tuple(each for each in cohort.specimens if each.modality in modalities)
