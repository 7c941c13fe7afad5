"""Inputs: what a locked model is asked about, a cohort folder or bare files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import Cohort, CohortError, MicronsPerPixel, Specimen, SpecimenError, load_cohort
from hepatica.cohort.draft.found import ARCHIVES, VOLUMES, Found, find_files, phases_together, suffix
from hepatica.cohort.specimens import STUDIES
from hepatica.cohort.table import OF_TABLES
from hepatica.protocol import System
from hepatica.runs.folder import RunFolder, read_settings
from hepatica.systems import find_system


def read_inputs(
    paths: Sequence[Path],
    *,
    modality: str,
    into: Path | None = None,
    mpp: MicronsPerPixel | None = None,
    force_mpp: bool = False,
) -> Cohort:
    """One cohort folder; or files and folders as a cohort, called by their order.

    A folder is a cohort where it has a cohort.toml. Another one, and an archive, is a study, or with `into` has
    several: a slide, a volume, a spectrum or a study is taken for one patient each, for IDs may all be "ANON"; DICOM is
    sorted into studies, in `into` where their files are mixed. `row` is the row in specimens.csv, or the place in this
    order, counted from 1, and `extra` has the file. CohortError for anything else.
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
    common: dict[str, Any] = {"modality": modality, "mpp": mpp, "force_mpp": force_mpp}
    specimens: list[Specimen] = []
    for number, path in enumerate(paths, start=1):
        itself = [Found(path=path, modality=modality)]
        for found in _within(path, modality=modality, into=into / f"{number:04}") if into else itself:
            row = len(specimens) + 1
            extra = {"file": str(found.path if found.path.is_relative_to(path) else path)}
            who: dict[str, Any] = {"patient_id": f"file {row}", "specimen_id": f"file {row}", "row": row}
            specimens.append(Specimen(**who, path=found.path, extra=extra, **common))
    return cohort_of_files(specimens)


def cohort_of_files(specimens: Sequence[Specimen]) -> Cohort:
    """Specimens alone as a cohort."""
    patients = pd.DataFrame(index=pd.Index([each.patient_id for each in specimens], name="patient_id"))
    about: dict[str, Any] = {"name": "files", "hospital": "", "phantom": False, "notes": "", "digest": ""}
    return Cohort(**about, endpoints={}, patients=patients, specimens=tuple(specimens))


def cohort_as_plain(cohort: Cohort) -> dict[str, Any]:
    """Where its folder is, or the specimens of bare files, as values that JSON can hold: another process reads it so
    by `cohort_from_plain`, and need not sort an export again.
    """
    if cohort.folder is not None:
        return {"folder": str(cohort.folder.absolute())}
    places = {
        each.row: {name: str(path.absolute()) for name, path in each.attachments.items()} for each in cohort.specimens
    }
    return {
        "files": [
            {**vars(each), "path": str(each.path.absolute()), "attachments": places[each.row], "urls": {}}
            for each in cohort.specimens
        ]
    }


def cohort_from_plain(plain: Mapping[str, Any]) -> Cohort:
    """The cohort of `cohort_as_plain`; CohortError where its folder has been changed into none."""
    if "folder" in plain:
        return load_cohort(plain["folder"])
    return cohort_of_files(
        [
            Specimen(**{**each, "path": Path(each["path"]), "attachments": _paths(each["attachments"])})
            for each in plain["files"]
        ]
    )


def _paths(plain: Mapping[str, str]) -> dict[str, Path]:
    return {name: Path(path) for name, path in plain.items()}


def _within(path: Path, *, modality: str, into: Path) -> Sequence[Found]:
    """The specimens of that modality in a folder or an archive; itself where it is one, or of no known kind."""
    itself = [Found(path=path, modality=modality)]
    files = find_files(path, modality=None if modality == "slide" else modality) if path.is_dir() else None
    found = [each for each in files.specimens if each.modality == modality] if files else []
    if modality in STUDIES and (files.dicom if files else suffix(path) in ARCHIVES):
        from hepatica.radiology.dicom.export import by_patient

        try:
            studies = [each for each in by_patient(path, into) if each.modality in (modality, "")]
        except SpecimenError:  # the reader of the study says what is wrong with it
            return itself
        found += studies if len(studies) + len(found) > 1 else []
    elif modality == "slide" and files and files.dicom and not found:
        return itself
    return phases_together(found) if found else itself


def left_out(paths: Sequence[Path], *, run: Path) -> list[str]:
    """What `read_inputs` leaves out of folders that are no cohort, in words that name no file."""
    modality = find_system(read_settings(RunFolder(run))["reference"]).first.modality
    found = [find_files(path) for path in paths if path.is_dir() and not (path / "cohort.toml").is_file()]
    volumes = modality not in ("slide", "spectrum")  # which may be of any of these modalities
    kinds = Counter(
        suffix(each.path) for files in found for each in files.specimens
        if each.modality != modality and not (volumes and suffix(each.path) in VOLUMES)
    )  # fmt: skip
    other = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    lines = [files.left_out for files in found if files.left_out]
    return lines + ([f"left out, not of the kind that this model reads ({modality}): {other}"] if other else [])


def files_of(system: System[Any, Any], cohort: Cohort) -> tuple[Specimen, ...]:
    """The specimens of a cohort that are files and that the system reads, of all its inputs."""
    modalities = {room.modality for room in system.rooms.values()}
    return tuple(each for each in cohort.specimens if each.modality in modalities)
