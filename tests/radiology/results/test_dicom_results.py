"""DICOM results: what goes to the archive says what the predictions say, of the series it is of."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pydicom
import pytest

from hepatica.cohort import Specimen
from hepatica.protocol import Inference, ModelIdentity
from hepatica.radiology.results.dicom_results import FLAGGED, MOST_MAPPED, deliver_study
from hepatica.radiology.risk_score import as_share
from hepatica.radiology.slices import SliceStore, prepare
from hepatica.radiology.slicing import WINDOWS, Slicing

SETTINGS = SimpleNamespace(endpoint="hcc", variant="weighted_mean")
MODEL = ModelIdentity(system="s", version="1", digest="d", doi="10.1/x", note="phantom-trained")


@pytest.fixture
def study(ct, tmp_path) -> tuple[Specimen, SliceStore]:
    ct.write(SeriesInstanceUID="1.1")
    ct.write(SeriesInstanceUID="1.2")
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    folder = tmp_path / "slices"
    return specimen, prepare([specimen], slicing=Slicing(side=24), window=WINDOWS["liver"], folder=folder)


def said(store: SliceStore, odds: np.ndarray, *, risk: float = 0.7, images: int = 12) -> Inference:
    specimens = pd.DataFrame(
        {
            "patient_id": ["P"],
            "specimen_id": ["S"],
            "risk": [risk],
            "low": [risk / 2],
            "high": [2 * risk],
            "images": [images],
        }
    )
    regions = store.index.assign(nodule_log_odds=odds, hcc_log_odds=odds, score=1 / (1 + np.exp(-odds)))
    return Inference(specimens=specimens, regions=regions, signatures=np.zeros((len(regions), 1), np.float32))


def given_back(
    study, inference: Inference, folder: Path, *, brightest: float = 1.0, cutoff: float = float(as_share(0.5))
) -> dict[str, pydicom.Dataset]:
    specimen, store = study

    def saliency(images: np.ndarray) -> np.ndarray:
        maps = np.zeros(images.shape[:3], np.float32)
        maps[:, 10:14, 10:14] = brightest
        return maps

    files = deliver_study(
        specimen, material=store, inference=inference, settings=SETTINGS, cutoffs={"hcc": cutoff},
        saliency=saliency, model=MODEL, folder=folder,
    )  # fmt: skip
    return {path.name: pydicom.dcmread(path) for path in files}


def test_slices_with_a_nodule_are_mapped_and_flagged(study, tmp_path):
    store = study[1]
    odds = np.where((store.index["series"] == 1) & (store.index["slice"] == 2), 3.0, -3.0)
    found = given_back(study, said(store, odds), tmp_path / "out")
    region, saliency = found["seg_1.dcm"], found["saliency_map_1.dcm"]
    assert "seg_2.dcm" not in found
    heights = {
        float(frame.PlanePositionSequence[0].ImagePositionPatient[2])
        for frame in region.PerFrameFunctionalGroupsSequence
    }
    assert heights == {10.0}
    marked = region.pixel_array.astype(bool).any(axis=0) if region.pixel_array.ndim == 3 else region.pixel_array > 0
    y, x = np.argwhere(marked).mean(axis=0)
    assert (y, x) == pytest.approx((19.5, 23.5), abs=1)  # the middle of the map on 40 x 48 pixels
    assert saliency.NumberOfFrames >= 1
    assert {name for name in found if name.startswith("capture")}


def test_dim_saliency_flags_nothing(study, tmp_path):
    found = given_back(study, said(study[1], np.full(len(study[1]), 2.0)), tmp_path / "out", brightest=FLAGGED - 0.1)
    assert not [name for name in found if name.startswith("seg")]
    assert found["sr.dcm"].Modality == "SR"


def values_of(report: pydicom.Dataset) -> dict[str, float | str]:
    """Numbers and codes of a report by the code of their name."""
    items = [each for each in report.iterall() if each.keyword == "ContentSequence"]
    found = {}
    for item in (item for each in items for item in each.value):
        if item.ValueType in {"NUM", "CODE"}:
            name = item.ConceptNameCodeSequence[0].CodeValue
            number = item.ValueType == "NUM"
            found[name] = (
                float(item.MeasuredValueSequence[0].NumericValue) if number else item.ConceptCodeSequence[0].CodeValue
            )
    return found


@pytest.mark.parametrize(("risk", "call"), [(0.7, "109841003"), (0.5, "109841003"), (0.2, "NOT_HCC")])
def test_report_has_the_score_and_the_call(study, tmp_path, risk, call):
    found = values_of(given_back(study, said(study[1], np.zeros(len(study[1])), risk=risk), tmp_path / "out")["sr.dcm"])
    assert found["HCC_RISK_SCORE"] == pytest.approx(risk)
    assert (found["INTERVAL_LOW"], found["INTERVAL_HIGH"]) == (pytest.approx(risk / 2), pytest.approx(2 * risk))
    assert found["CUTOFF"] == pytest.approx(0.5)
    assert found["CLASS"] == call


def test_a_study_whose_images_the_gate_all_stops_is_reported(study, tmp_path):
    store = study[1]
    inference = said(store, np.full(len(store), -3.0), risk=0.0, images=0)
    found = values_of(given_back(study, inference, tmp_path / "out")["sr.dcm"])
    assert (found["HCC_RISK_SCORE"], found["CLASS"], found["IMAGES"]) == (0, "NOT_HCC", len(store))


def test_no_more_slices_are_mapped_than_a_file_can_bear(ct, tmp_path):
    ct.write(np.tile(ct.body(count=1), (MOST_MAPPED + 10, 1, 1)))
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    store = prepare([specimen], slicing=Slicing(side=24), window=WINDOWS["liver"], folder=tmp_path / "slices")
    found = given_back((specimen, store), said(store, np.linspace(1, 2, len(store))), tmp_path / "out")
    assert found["saliency_map_1.dcm"].NumberOfFrames <= MOST_MAPPED


def test_pictures_and_volumes_get_none(study, tmp_path):
    from hepatica.radiology.dicom.geometry import Geometry
    from hepatica.radiology.dicom.nifti import write_nifti

    path = tmp_path / "ct.nii.gz"
    values = np.tile(np.linspace(-1000, 200, 64, dtype=np.float32).reshape(8, 8), (4, 1, 1))
    write_nifti(path, values=values, geometry=Geometry(shape=(4, 8, 8), spacing=(5, 1, 1), origin=(0, 0, 0)))
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=path, row=2)
    store = prepare([specimen], slicing=Slicing(side=24), window=WINDOWS["liver"], folder=tmp_path / "n")
    assert given_back((specimen, store), said(store, np.zeros(len(store))), tmp_path / "out") == {}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("risk", "cutoff", "code"),
    [(0.0, 5e-324, "NOT_HCC"), (0.0, 0.0, "109841003"), (400.0, 1.0, "109841003"), (3.0, 1.0, "NOT_HCC")],
)
def test_the_class_is_that_of_the_predictions_where_the_cutoff_is_extreme(study, tmp_path, risk, cutoff, code):
    assert (float(as_share(risk)) >= cutoff) == (code != "NOT_HCC")
    inference = said(study[1], np.full(len(study[1]), 2.0), risk=risk)
    assert values_of(given_back(study, inference, tmp_path / "out", cutoff=cutoff)["sr.dcm"])["CLASS"] == code
