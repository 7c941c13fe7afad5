"""Fixtures: two tiny studies of a body, the liver, with balls in it, outlined; read once."""

import numpy as np
import pytest
from ct_balls import CYST, HCC, PLACE, balls

from hepatica.cohort import load_cohort
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.segmentation.plan import SegmentPlan
from hepatica.radiology.segmentation.room import prepare

HEAD = 'name = "masks"\nhospital = "Tiny General"\n\n[endpoints.outlines]\nmask = "mask"\n'


@pytest.fixture(scope="session")
def outlined_cohort(tmp_path_factory):
    """P1 has two lesions, P2 one; the liver is all that is denser than air. P3 is not outlined."""
    folder = tmp_path_factory.mktemp("masks")
    for number, lesions in enumerate(([HCC, CYST], [CYST], [HCC]), start=1):
        values, labels = balls(lesions=lesions)
        mask = np.where(labels > 0, 2, values["arterial"] > -500).astype(np.uint8)
        write_nifti(folder / f"ct_{number}.nii.gz", values=values["arterial"], geometry=PLACE)
        write_nifti(folder / f"mask_{number}.nii.gz", values=mask, geometry=PLACE)
    rows = [f"P{n},S{n},ct,ct_{n}.nii.gz,{f'mask_{n}.nii.gz' if n < 3 else ''}" for n in (1, 2, 3)]
    (folder / "cohort.toml").write_text(HEAD)
    (folder / "patients.csv").write_text("patient_id\nP1\nP2\nP3\n")
    (folder / "specimens.csv").write_text("\n".join(["patient_id,specimen_id,modality,path,mask", *rows, ""]))
    return load_cohort(folder)


SETTINGS = SegmentPlan(
    epochs=1, batch=4, learning_rate=1e-3, voxels=(1, 16, 16), depth=3, patches=4, hu=(-100.0, 150.0)
)


@pytest.fixture(scope="session")
def settings():
    return SETTINGS


@pytest.fixture(scope="session")
def store(outlined_cohort, tmp_path_factory):
    return prepare(outlined_cohort, SETTINGS, tmp_path_factory.mktemp("store"))
