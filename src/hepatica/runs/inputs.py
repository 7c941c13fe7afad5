"""Inputs: what a locked model is asked about, a cohort folder or bare files."""

from collections.abc import Sequence
from pathlib import Path

from hepatica.cohort import CohortError, MicronsPerPixel, Specimen, load_cohort


def of_modality(specimens: Sequence[Specimen], modality: str) -> tuple[Specimen, ...]:
    """The specimens of that modality; CohortError when there are none."""
    found = tuple(specimen for specimen in specimens if specimen.modality == modality)
    if not found:
        have = ", ".join(sorted({specimen.modality for specimen in specimens})) or "nothing"
        raise CohortError(f"got specimens of modality {have}, wanted {modality}; see the column of specimens.csv")
    return found


def read_inputs(paths: Sequence[Path], *, modality: str, mpp: MicronsPerPixel | None = None) -> tuple[Specimen, ...]:
    """Specimens of one cohort folder, or of files taken for one patient each and called by their order.

    `row` is the row in specimens.csv, or the place of the file in the order given, counted from 1.
    """
    folders = [path for path in paths if path.is_dir()]
    if folders:
        if len(paths) > 1:
            raise CohortError(
                f"got {len(paths)} inputs, one of them the folder {folders[0]}; give one cohort folder or files"
            )
        return of_modality(load_cohort(folders[0]).specimens, modality)
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise CohortError(f"no such file: {', '.join(missing)}")
    return tuple(
        Specimen(patient_id=f"file {n}", specimen_id=f"file {n}", modality=modality, path=path, row=n, mpp=mpp)
        for n, path in enumerate(paths, start=1)
    )
