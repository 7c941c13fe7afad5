"""Deliver: reports of ultrasound in DICOM, and what is drawn of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest

from hepatica.cohort import Specimen, load_cohort
from hepatica.protocol import Inference, ModelIdentity
from hepatica.radiology.results.deliver import decline_study
from hepatica.radiology.ultrasound.deliver import decline_ultrasound, deliver_ultrasound
from hepatica.radiology.ultrasound.picture import draw_ultrasound
from hepatica.radiology.ultrasound.store import prepare
from hepatica.radiology.ultrasound.views import Viewing

MODEL = ModelIdentity(system="test", version="1", digest="abc", doi="10.1", note="phantom")


@pytest.fixture
def specimen(scanned: Path) -> Specimen:
    return load_cohort(scanned).specimens[0]


def text(report: pydicom.Dataset) -> str:
    return str(report.to_json())


def test_a_report_names_the_images_and_the_score(specimen: Specimen, tmp_path: Path) -> None:
    who = {"patient_id": [specimen.patient_id], "specimen_id": [specimen.specimen_id]}
    about = {"task": ["binary"], "endpoint": ["hcc"], "class_or_quantity": pd.array([None], "string")}
    said = pd.DataFrame(who | about | {"score": [0.75], "horizon_months": [np.nan]})
    inference = Inference(specimens=said, regions=said, signatures=np.zeros((1, 1)))
    (path,) = deliver_ultrasound(
        specimen, material=None, inference=inference, settings=None, cutoffs={"hcc": 0.5}, saliency=lambda x: x,
        model=MODEL, folder=tmp_path,
    )  # fmt: skip
    report = pydicom.dcmread(path)
    assert report.Modality == "SR"
    assert report.PatientID == specimen.patient_id
    assert "FrameOfReferenceUID" not in text(report)
    assert "US unspecified body region" in text(report)
    assert "0.75" in text(report)


def test_what_is_not_assessable_is_reported(specimen: Specimen, tmp_path: Path) -> None:
    (path,) = decline_ultrasound(specimen, reason="no cine", model=MODEL, folder=tmp_path)
    assert "Not assessable: no cine" in text(pydicom.dcmread(path))
    assert decline_study(specimen, reason="modality US", model=MODEL, folder=tmp_path / "ct") == []


def test_stored_views_and_pictures_show_no_text(specimen: Specimen, tmp_path: Path) -> None:
    viewing = Viewing(kind="patches", side=32, step_mm=20)
    store = prepare([specimen], viewing=viewing, folder=tmp_path / "prepared", progress=False)
    assert store.read(np.arange(len(store))).shape == (len(store), 32, 32, 1)
    row = store.specimens.iloc[0]
    assert (row["images"], row["kinds"], row["probe"]) == (2, "b-mode", "C1-5")
    regions = store.index.assign(score=np.linspace(0, 1, len(store)))
    (drawn,) = draw_ultrasound(
        specimen, material=store, regions=regions, saliency=lambda views: views[..., 0] / 255.0,
        stem=tmp_path / "specimen_0001", note="phantom", meaning="HCC",
    )  # fmt: skip
    assert drawn.name == "specimen_0001_views.png"
    again = prepare([specimen], viewing=viewing, folder=tmp_path / "prepared", progress=False)
    pd.testing.assert_frame_equal(store.index, again.index)
