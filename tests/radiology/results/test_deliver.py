"""Deliver: files that an independent validator passes, the same each time, and nothing half-written."""

import hashlib
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest

from hepatica.cohort.errors import RunError, SpecimenError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.radiology.results.deliver import deliver
from hepatica.radiology.results.structured_report import Result

MODEL = ModelIdentity(
    system="HCCNet", version="0.1.0", digest="ab" * 32, doi="10.1038/s41416-021-01511-w",
    note="Trained on phantoms: not for clinical use.",
)  # fmt: skip
RESULT = Result(
    risk_score=0.21, low=0.11, high=0.31, level=0.95, variant="weighted_mean", cutoff=0.2, is_hcc=True, images=6,
    model=MODEL,
)  # fmt: skip
WITH_VALIDATOR = pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dciodvfy (Debian: dicom3tools) is not installed"
)


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
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())


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
