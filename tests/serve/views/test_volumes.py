"""Volumes: a study as NIfTI that a viewer lays as radiologists do, with what the model says on the same voxels."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest

from hepatica.cohort.specimens import Specimen
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.radiology.results.deliver import write_objects
from hepatica.radiology.results.derived_images import parametric_map, segmentation
from hepatica.radiology.results.evidence import evidence_of
from hepatica.serve.refusals import NotFoundError
from hepatica.serve.views import volumes

MODEL = ModelIdentity(system="test", version="0", digest="0" * 64, doi="10.0/0", note="phantom")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A phantom study with a saliency map and a flagged region on its second series."""
    folder = tmp_path_factory.mktemp("ct")
    small = PhantomSettings(matrix=64, slices=8, thickness_mm=20)
    cohort = phantom_ct(folder / "a", patients=2, seed=1, settings=small)
    path = sorted((cohort / "studies").iterdir())[0]
    specimen = Specimen(patient_id="p", specimen_id="s", modality="ct", path=path, row=1)
    result = folder / "result"
    scans = find_scans(path).scans
    values = np.zeros(scans[1].series.geometry.shape, np.float32)
    values[2:5, 10:20, 30:50] = 0.8
    own = evidence_of(scans[1].series)
    made = {"saliency_map_2.dcm": parametric_map(values, evidence=own, model=MODEL),
            "seg_2.dcm": segmentation({"flagged": values > 0.5}, evidence=own, model=MODEL)}  # fmt: skip
    write_objects(made, result / "specimen_0001_dicom")
    pd.DataFrame({"specimen_id": ["s"], "path": [None]}).to_csv(result / "predictions.csv", index=False)
    return SimpleNamespace(specimen=specimen, result=result, scans=scans, values=values, folder=folder)


def load(study: Any, number: int, overlay: str = "") -> Any:
    into = study.folder / "views"
    return nibabel.load(volumes.written(study.specimen, number=number, overlay=overlay, result=study.result, into=into))


def test_every_series_is_named_and_overlays_go_to_their_own(study: Any) -> None:
    found = volumes.described(study.specimen, result=study.result)
    assert [each["number"] for each in found] == list(range(1, len(study.scans) + 1))
    assert found[0]["overlays"] == []
    assert found[1]["overlays"] == ["saliency", "flagged region"]


def test_a_series_has_its_hounsfield_units_and_lies_left_back_head(study: Any) -> None:
    image = load(study, 1)
    own = study.scans[0].read(regular=False)
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    assert image.get_data_dtype() == np.int16
    assert np.abs(np.asarray(image.dataobj).transpose(2, 1, 0) - own.values).max() <= 0.5


def test_overlays_lie_on_the_voxels_they_were_made_for(study: Any) -> None:
    saliency, flagged = load(study, 2, "saliency"), load(study, 2, "flagged region")
    assert np.array_equal(np.asarray(saliency.dataobj).transpose(2, 1, 0), np.rint(100 * study.values))
    assert np.array_equal(np.asarray(flagged.dataobj).transpose(2, 1, 0), study.values > 0.5)
    assert np.allclose(saliency.affine, load(study, 2).affine)


@pytest.mark.parametrize(("number", "overlay"), [(0, ""), (99, ""), (1, "saliency"), (2, "../x"), (2, "x" * 300)])
def test_what_is_not_there_is_refused(study: Any, number: int, overlay: str) -> None:
    with pytest.raises(NotFoundError):
        volumes.written(study.specimen, number=number, overlay=overlay, result=study.result, into=study.folder / "v")


def test_the_mask_of_a_nifti_file_is_laid_over_it(study: Any, tmp_path: Path) -> None:
    own = study.scans[0].read(regular=False)
    labels = np.zeros(own.values.shape, np.uint8)
    labels[1:6, 10:30, 10:30] = 1
    labels[3, 15:20, 15:20] = 2
    write_nifti(tmp_path / "ct.nii.gz", values=own.values.astype(np.int16), geometry=own.geometry)
    write_nifti(tmp_path / "masks" / "m.nii.gz", values=labels, geometry=own.geometry)
    pd.DataFrame({"specimen_id": ["s"], "path": ["masks/m.nii.gz"]}).to_csv(tmp_path / "predictions.csv", index=False)
    specimen = Specimen(patient_id="p", specimen_id="s", modality="ct", path=tmp_path / "ct.nii.gz", row=1)
    assert volumes.described(specimen, result=tmp_path)[0]["overlays"] == ["segmentation"]
    path = volumes.written(specimen, number=1, overlay="segmentation", result=tmp_path, into=tmp_path / "views")
    assert np.array_equal(np.asarray(nibabel.load(path).dataobj).transpose(2, 1, 0), labels)
