"""Fixtures: tiny CT studies of three phases in NIfTI, each with a few balls of known place and brightness."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ct_balls import CYST, HCC, PHASES, PLACE, balls

from hepatica.radiology.dicom.nifti import write_nifti

HEAD = """\
name = "lesions"
hospital = "Tiny General"
attachments = ["arterial", "delayed"]

[endpoints.lesion_type]
lesion = "label"
classes = ["hcc", "cyst"]
"""


@pytest.fixture(scope="session")
def lesion_cohort() -> Callable[..., Path]:
    """`lesion_cohort(folder, patients)` writes a cohort; of each patient the lesions as `balls` takes them."""

    def write(folder: Path, patients, *, head: str = HEAD) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        rows, found = [], []
        for number, lesions in enumerate(patients, start=1):
            values, labels = balls(lesions=lesions)
            names = {name: f"{name}_{number}.nii.gz" for name in (*PHASES, "mask")}
            for name, file in names.items():
                write_nifti(folder / file, values=values.get(name, labels), geometry=PLACE)
            rows.append(f"P{number},S{number},ct,{','.join(names[name] for name in (*PHASES, 'mask'))},plain")
            found += [
                f"P{number},S{number},{k},{kind},{k},{diameter}" for k, (kind, _, diameter) in enumerate(lesions, 1)
            ]
        tables = {
            "cohort.toml": head,
            "patients.csv": "\n".join(["patient_id", *(f"P{n}" for n in range(1, len(patients) + 1)), ""]),
            "specimens.csv": "\n".join(["patient_id,specimen_id,modality,path,arterial,delayed,mask,phase", *rows, ""]),
            "lesions.csv": "\n".join(["patient_id,specimen_id,lesion_id,label,segment,diameter_mm", *found, ""]),
        }
        for name, text in tables.items():
            (folder / name).write_text(text)
        return folder

    return write


@pytest.fixture(scope="session")
def cohort_folder(lesion_cohort, tmp_path_factory) -> Path:
    """Two patients: a large HCC and a small cyst; a cyst."""
    return lesion_cohort(tmp_path_factory.mktemp("lesions"), [[HCC, CYST], [CYST]])
