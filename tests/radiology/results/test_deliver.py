"""Deliver: files that an independent validator passes, the same each time, and nothing half-written."""

import hashlib
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pydicom
import pytest

from hepatica.cohort import Specimen
from hepatica.cohort.errors import RunError, SpecimenError
from hepatica.protocol import Inference, ModelIdentity
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.radiology.results.deliver import FLAGGED, MOST_MAPPED, decline_study, deliver, deliver_study
from hepatica.radiology.results.result import Result
from hepatica.radiology.risk_score import as_share
from hepatica.radiology.slices import SliceStore, prepare
from hepatica.radiology.slicing import WINDOWS, Slicing

MODEL = ModelIdentity(
    system="HCCNet", version="0.1.0", digest="ab" * 32, doi="10.1038/s41416-021-01511-w",
    note="Trained on phantoms: not for clinical use.",
)  # fmt: skip
RESULT = Result(
    risk_score=0.21, low=0.11, high=0.31, level=0.95, variant="weighted_mean", cutoff=0.2, is_hcc=True, images=6,
    model=MODEL,
)  # fmt: skip
WITH_VALIDATOR = pytest.mark.usefixtures("dciodvfy")


def findings(series) -> dict:
    """A block of each series, flagged, mapped and pictured."""
    flagged, saliency, pictures = {}, {}, {}
    for each in series:
        mask = np.zeros(each.geometry.shape, bool)
        mask[1:, 4:12, 8:11] = True
        flagged[each.key], saliency[each.key] = mask, mask * np.float32(0.25)
        picture = np.zeros((*each.geometry.shape[1:], 3), np.uint8)
        pictures[each.key] = [(1, picture), (2, picture + 9)]
    return {"flagged": flagged, "saliency": saliency, "pictures": pictures}


def delivered(source: Path, folder: Path) -> list[Path]:
    series = read_study(source).series
    return deliver(series, result=RESULT, **findings(series), folder=folder)


def digests(paths: list[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def valid(paths: list[Path]) -> None:
    for path in paths:
        said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
        assert any(name in said for name in ("Comprehensive3DSR", "Segmentation", "ParametricMap", "SCImage")), said
        assert "Error" not in said, (path.name, said)


def test_files_are_numbered_and_the_report_comes_first(ct, tmp_path):
    ct.write()
    ct.write(ct.body() + 1, SeriesInstanceUID="1.2.3.4.7")
    names = [path.name for path in delivered(ct.folder, tmp_path / "out")]
    assert names == ["sr.dcm"] + [
        f"{name}.dcm"
        for n in (1, 2)
        for name in (f"seg_{n}", f"saliency_map_{n}", f"capture_{n}_001", f"capture_{n}_002")
    ]
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").glob("*.dcm"))


@WITH_VALIDATOR
def test_a_whole_series_passes(ct, tmp_path):
    ct.write(StudyDate="20240131", StudyTime="101112")
    valid(delivered(ct.folder, tmp_path / "out"))


@WITH_VALIDATOR
def test_an_enhanced_file_passes(ct, tmp_path):
    ct.write_enhanced(ct.body(), order=[3, 0, 5, 1, 4, 2])
    valid(delivered(ct.folder, tmp_path / "out"))


@WITH_VALIDATOR
def test_a_missing_slice_passes(ct, tmp_path):
    ct.write(ct.body(count=5), heights=[0, 5, 15, 20, 25])
    valid(delivered(ct.folder, tmp_path / "out"))


@WITH_VALIDATOR
def test_a_series_of_several_enhanced_files_passes(ct, tmp_path):
    ct.write_enhanced(ct.body(), order=[3, 0, 5])
    ct.write_enhanced(ct.body(), order=[1, 4, 2])
    paths = delivered(ct.folder, tmp_path / "out")
    valid(paths)
    (series,) = pydicom.dcmread(paths[1]).ReferencedSeriesSequence
    assert len(series.ReferencedInstanceSequence) == 2


@WITH_VALIDATOR
def test_two_acquisitions_under_one_uid_pass_and_are_told_apart(ct, tmp_path):
    ct.write(AcquisitionNumber=1)
    ct.write(ct.body() + 40, AcquisitionNumber=2)
    paths = delivered(ct.folder, tmp_path / "out")
    valid(paths)
    assert len({pydicom.dcmread(path).SOPInstanceUID for path in paths}) == len(paths) == 9


@WITH_VALIDATOR
def test_directions_that_differ_in_the_last_digits_pass(ct, tmp_path):
    def turn(k, each):
        each.ImageOrientationPatient = [1, k * 1e-5, 0, -k * 1e-5, 1, 0]

    ct.write(change=turn)
    valid(delivered(ct.folder, tmp_path / "out"))


def test_names_of_any_alphabet_are_written(ct, tmp_path):
    ct.write(SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName="Yamada^Tarou=山田^太郎")
    found = [pydicom.dcmread(path) for path in delivered(ct.folder, tmp_path / "out")]
    assert {(str(each.PatientName), each.SpecificCharacterSet) for each in found} == {
        ("Yamada^Tarou=山田^太郎", "ISO_IR 192")
    }


@WITH_VALIDATOR
def test_a_phantom_passes(tmp_path):
    cohort = phantom_ct(tmp_path / "c", patients=1, seed=2, hospital="A", settings=PhantomSettings(matrix=64, slices=4))
    valid(delivered(cohort / "studies" / "0001.zip", tmp_path / "out"))


@WITH_VALIDATOR
@pytest.mark.parametrize("name", ["totalsegmentator/dicom", "dcmqi"])
def test_real_series_pass(real, tmp_path, name):
    valid(delivered(real / name, tmp_path / "out"))


@WITH_VALIDATOR
def test_headers_without_uids_and_with_odd_values_pass(ct, tmp_path):
    def spoil(k, each):
        each.StudyDate, each.PatientSex, each.PatientBirthDate = "yesterday", "unknown", "1960-01-01"

    with pydicom.config.disable_value_validation():
        ct.write(change=spoil, StudyInstanceUID="", SeriesInstanceUID="", SOPInstanceUID="", FrameOfReferenceUID=None)
    valid(delivered(ct.folder, tmp_path / "out"))


def test_the_same_inputs_give_the_same_bytes_whenever_they_run(ct, tmp_path):
    ct.write()
    once = digests(delivered(ct.folder, tmp_path / "a"))
    time.sleep(1.1)  # a time in seconds would differ
    assert digests(delivered(ct.folder, tmp_path / "b")) == once
    assert digests(delivered(ct.folder, tmp_path / "a")) == once


def test_all_lie_in_the_patients_study(ct, tmp_path):
    ct.write()
    found = [pydicom.dcmread(path) for path in delivered(ct.folder, tmp_path / "out")]
    assert {each.StudyInstanceUID for each in found} == {"1.2.3.4"}
    assert {(each.PatientID, str(each.PatientName)) for each in found} == {("SECRET-1", "Secret^Name")}
    assert len({each.SOPInstanceUID for each in found}) == len(found)
    assert len({each.SeriesInstanceUID for each in found}) == 4


def test_a_name_is_never_logged(ct, tmp_path, caplog, capfd):
    ct.write(PatientName="SECRET")  # a name of one part, which highdicom would warn of
    delivered(ct.folder, tmp_path / "out")
    printed = capfd.readouterr()
    assert "SECRET" not in caplog.text + printed.out + printed.err


def test_an_empty_region_is_told_and_not_written(ct, tmp_path):
    ct.write()
    series = read_study(ct.folder).series
    given = findings(series)
    given["flagged"][series[0].key][:] = False
    paths = deliver(series, result=RESULT, **given, folder=tmp_path / "out")
    assert "seg_1.dcm" not in [path.name for path in paths]
    printed = pydicom.dcmread(paths[0]).ContentSequence[-1]
    assert printed.TextValue == "Series 1: no region is flagged, there is no segmentation."


def test_a_series_may_have_nothing_but_the_report(ct, tmp_path):
    ct.write()
    series = read_study(ct.folder).series
    (report,) = deliver(series, result=RESULT, flagged={}, saliency={}, pictures={}, folder=tmp_path / "out")
    assert report.name == "sr.dcm"


def test_results_of_two_patients_never_mix(ct, tmp_path):
    ct.write()
    ct.write(PatientID="SECRET-2")
    with pytest.raises(SpecimenError, match="2 series of 2 patients") as error:
        delivered(ct.folder, tmp_path / "out")
    assert "SECRET" not in str(error.value)


def test_nothing_read_is_refused(tmp_path):
    with pytest.raises(SpecimenError, match="0 series"):
        deliver([], result=RESULT, flagged={}, saliency={}, pictures={}, folder=tmp_path)


@pytest.mark.parametrize("what", ["flagged", "saliency"])
def test_arrays_of_another_grid_are_refused(ct, tmp_path, what):
    ct.write()
    series = read_study(ct.folder).series
    given = findings(series)
    given[what] = {series[0].key: given[what][series[0].key][1:]}
    with pytest.raises(SpecimenError, match="on the grid of its series"):
        deliver(series, result=RESULT, **given, folder=tmp_path / "out")


def test_keys_of_no_series_are_refused(ct, tmp_path):
    ct.write()
    series = read_study(ct.folder).series
    with pytest.raises(SpecimenError, match="wanted the keys"):
        deliver(series, result=RESULT, flagged={}, saliency={}, pictures={"x": []}, folder=tmp_path / "out")


def test_another_results_folder_is_refused(ct, tmp_path):
    ct.write()
    delivered(ct.folder, tmp_path / "out")
    series = read_study(ct.folder).series
    with pytest.raises(RunError, match="4 other DICOM files"):
        deliver(series, result=RESULT, flagged={}, saliency={}, pictures={}, folder=tmp_path / "out")


def test_nothing_is_written_when_one_object_cannot_be_made(ct, tmp_path):
    ct.write()
    series = read_study(ct.folder).series
    given = findings(series)
    given["saliency"][series[0].key][0, 0, 0] = np.nan
    with pytest.raises(SpecimenError):
        deliver(series, result=RESULT, **given, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


SMALL = ModelIdentity(system="s", version="1", digest="d", doi="10.1/x", note="phantom-trained")
SETTINGS = SimpleNamespace(endpoint="hcc", variant="weighted_mean")


@pytest.fixture
def study(ct, all_liver, tmp_path) -> tuple[Specimen, SliceStore]:
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
        saliency=saliency, model=SMALL, folder=folder,
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


def test_no_more_slices_are_mapped_than_a_file_can_bear(ct, all_liver, tmp_path):
    ct.write(np.tile(ct.body(count=1), (MOST_MAPPED + 10, 1, 1)))
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    store = prepare([specimen], slicing=Slicing(side=24), window=WINDOWS["liver"], folder=tmp_path / "slices")
    found = given_back((specimen, store), said(store, np.linspace(1, 2, len(store))), tmp_path / "out")
    assert found["saliency_map_1.dcm"].NumberOfFrames <= MOST_MAPPED


def test_pictures_and_volumes_get_none(study, all_liver, tmp_path):
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


@WITH_VALIDATOR
def test_a_study_that_is_not_assessable_is_reported_so_without_a_number(ct, tmp_path: Path) -> None:
    ct.write()
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    paths = decline_study(specimen, reason="no credible liver was found", model=MODEL, folder=tmp_path / "out")
    (report,) = (pydicom.dcmread(path) for path in paths)
    written = report.to_json()
    assert "NOT_ASSESSABLE" in written
    assert "Not assessable: no credible liver was found" in written
    assert "HCC_RISK_SCORE" not in written
    assert "NumericValue" not in written
    valid(paths)


def test_of_what_is_no_study_nothing_can_be_reported(tmp_path: Path) -> None:
    (tmp_path / "letter.dcm").write_text("dear colleague")
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=tmp_path / "letter.dcm", row=2)
    assert decline_study(specimen, reason="not a DICOM file", model=MODEL, folder=tmp_path / "out") == []
    assert not (tmp_path / "out").exists()
