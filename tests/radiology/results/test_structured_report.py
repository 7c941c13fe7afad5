"""Structured report: a result is written so that another system can read it."""

import subprocess
from dataclasses import replace

import highdicom as hd
import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, MRImageStorage

from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.results.evidence import evidence_of
from hepatica.radiology.results.result import Finding, Findings, Result
from hepatica.radiology.results.structured_report import SCHEME, structured_report

MODEL = ModelIdentity(
    system="HCCNet", version="0.1.0", digest="ab" * 32, doi="10.1038/s41416-021-01511-w",
    note="Trained on phantoms: not for clinical use.",
)  # fmt: skip
RESULT = Result(
    risk_score=0.21, low=0.11, high=0.31, level=0.95, variant="weighted_mean", cutoff=0.2, is_hcc=True, images=6,
    model=MODEL,
)  # fmt: skip

WITH_VALIDATOR = pytest.mark.usefixtures("dciodvfy")


@pytest.fixture
def own(ct):
    ct.write(StudyDate="20240131", StudyTime="101112")
    (series,) = read_study(ct.folder).series
    return evidence_of(series)


def group(report):
    (found,) = hd.sr.Comprehensive3DSR.from_dataset(report).content.get_image_measurement_groups()
    return found


def test_the_numbers_are_those_of_the_result(own):
    found = {each.name.value: each for each in group(structured_report(RESULT, evidence=[own])).get_measurements()}
    values = {name: float(each.value) for name, each in found.items()}
    assert values == {
        "HCC_RISK_SCORE": 0.21,
        "INTERVAL_LOW": 0.11,
        "INTERVAL_HIGH": 0.31,
        "INTERVAL_LEVEL": 0.95,
        "CUTOFF": 0.2,
        "IMAGES": 6,
    }
    assert {each.name.scheme_designator for each in found.values()} == {SCHEME}
    assert found["HCC_RISK_SCORE"].unit == codes.UCUM.NoUnits
    assert found["HCC_RISK_SCORE"].method.value == "WEIGHTED_MEAN"


@pytest.mark.parametrize(
    ("score", "code"), [(0.21, ("109841003", "SCT")), (0.19, ("NOT_HCC", SCHEME))]
)  # 109841003 |Liver cell carcinoma|
def test_the_class_is_a_code(own, score, code):
    report = structured_report(replace(RESULT, risk_score=score, is_hcc=score >= 0.2), evidence=[own])
    (found,) = (each for each in group(report).get_qualitative_evaluations() if each.name.value == "CLASS")
    assert (found.value.value, found.value.scheme_designator) == code


def test_the_observer_is_the_model(own):
    content = hd.sr.Comprehensive3DSR.from_dataset(structured_report(RESULT, evidence=[own])).content
    (device,) = (each.observer_identifying_attributes for each in content.get_observer_contexts())
    assert (device.name, device.model_name, device.serial_number) == ("HCCNet", "0.1.0", MODEL.digest)
    algorithm = "".join(str(each.value) for each in content[0].ContentSequence[-2].ContentSequence[0].ContentSequence
                        if each.ValueType == "TEXT")  # fmt: skip
    assert MODEL.doi in algorithm


def test_the_note_and_the_remarks_are_said(own):
    report = structured_report(RESULT, evidence=[own], remarks=["Series 1: 2 duplicate slices dropped."])
    comments = [each for each in report.ContentSequence if each.ConceptNameCodeSequence[0].CodeMeaning == "Comment"]
    assert [each.TextValue for each in comments] == [MODEL.note, "Series 1: 2 duplicate slices dropped."]


def test_it_refers_to_every_file_read_and_to_none_twice(own):
    report = structured_report(RESULT, evidence=[own])
    listed = [uid for _, _, uid, _ in hd.sr.Comprehensive3DSR.from_dataset(report).get_evidence()]
    assert sorted(listed) == sorted(each.SOPInstanceUID for each in own.files)
    (library,) = (each for each in report.ContentSequence if each.ConceptNameCodeSequence[0].CodeValue == "111028")
    images = [each for each in library.ContentSequence[0].ContentSequence if each.ValueType == "IMAGE"]
    assert [each.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for each in images] == [
        each.SOPInstanceUID for each in own.files
    ]


def test_it_is_preliminary_and_dated_as_its_study(own):
    report = structured_report(RESULT, evidence=[own])
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    assert (str(report.ContentDate), str(report.ContentTime)) == ("20240131", "101112")
    assert (report.PatientName, report.PatientID, report.StudyInstanceUID) == ("Secret^Name", "SECRET-1", "1.2.3.4")


FOUND = Findings(
    findings=(
        Finding(name="Study", values={"risk of death": -0.4}, called="low"),
        Finding(
            name="Lesion 2", values={"probability of hcc": 0.75, "probability of cyst": 0.25}, called="hcc",
            centre_mm=(-40.0, 12.5, 103.0), diameter_mm=31.0,
        ),
    ),
    model=MODEL,
)  # fmt: skip


def test_a_lesion_has_its_values_its_class_and_its_place(own):
    content = hd.sr.Comprehensive3DSR.from_dataset(structured_report(FOUND, evidence=[own])).content
    (study,), (lesion,) = content.get_image_measurement_groups(), content.get_planar_roi_measurement_groups()
    assert [float(each.value) for each in study.get_measurements()] == [-0.4]
    assert {each.name.meaning: float(each.value) for each in lesion.get_measurements()} == {
        "probability of hcc": 0.75, "probability of cyst": 0.25, "Diameter": 31.0,
    }  # fmt: skip
    (called,) = (each for each in lesion.get_qualitative_evaluations() if each.name.value == "CALLED")
    assert (called.value.value, called.value.scheme_designator) == ("109841003", "SCT")
    place = lesion.roi
    assert place.graphic_type.value == "POINT"
    assert place.value.tolist() == [[-40.0, 12.5, 103.0]]
    assert place.frame_of_reference_uid == own.head.FrameOfReferenceUID
    assert study.tracking_uid != lesion.tracking_uid


def test_names_are_followed_by_the_same_codes_everywhere(own):
    one, two = (structured_report(FOUND, evidence=[own]) for _ in range(2))
    assert one == two


@WITH_VALIDATOR
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_findings_pass_the_validator(ct, tmp_path, modality):
    ct.write(Modality=modality, SOPClassUID=MRImageStorage if modality == "MR" else CTImageStorage)
    (series,) = read_study(ct.folder, kind=modality.lower()).series
    report = structured_report(FOUND, evidence=[evidence_of(series)])
    report.save_as(tmp_path / "sr.dcm", enforce_file_format=True)
    said = subprocess.run(["dciodvfy", tmp_path / "sr.dcm"], capture_output=True, text=True, check=False).stderr
    assert "Comprehensive3DSR" in said
    assert "Error" not in said, said
    (library,) = (each for each in report.ContentSequence if each.ConceptNameCodeSequence[0].CodeValue == "111028")
    modality_of = library.ContentSequence[0].ContentSequence[0].ConceptCodeSequence[0].CodeValue
    assert modality_of == modality
