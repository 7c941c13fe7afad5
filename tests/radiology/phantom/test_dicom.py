import io
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest

from hepatica.radiology.phantom import PhantomSettings, phantom_ct

SMALL = PhantomSettings(matrix=64, slices=4)


@pytest.fixture(scope="module", params=["A", "B"])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = phantom_ct(
        tmp_path_factory.mktemp("dicom") / "c", patients=1, seed=2, hospital=request.param, settings=SMALL
    )
    with zipfile.ZipFile(folder / "studies" / "0001.zip") as found:
        return {name: found.read(name) for name in found.namelist()}


@pytest.fixture(scope="module")
def headers(archive: dict[str, bytes]) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(io.BytesIO(content)) for content in archive.values()]


def test_four_series_of_one_study_in_one_frame_of_reference(headers: list[pydicom.Dataset]) -> None:
    assert len({header.SeriesInstanceUID for header in headers}) == 4
    assert len({header.StudyInstanceUID for header in headers}) == 1
    assert len({header.FrameOfReferenceUID for header in headers}) == 1
    assert len({header.SOPInstanceUID for header in headers}) == 16
    assert len({header.AcquisitionTime for header in headers}) == 4


def test_slices_go_down_from_the_head_in_steps_of_the_thickness(headers: list[pydicom.Dataset]) -> None:
    heights = [float(header.ImagePositionPatient[2]) for header in headers[:4]]
    assert [header.InstanceNumber for header in headers[:4]] == [1, 2, 3, 4]
    assert np.diff(heights) == pytest.approx([-5, -5, -5])


def test_pixels_are_hounsfield_units_once_rescaled(headers: list[pydicom.Dataset]) -> None:
    middle = headers[1]
    hounsfield = middle.pixel_array.astype(float) * middle.RescaleSlope + middle.RescaleIntercept
    assert hounsfield[:4].mean() == pytest.approx(-1000, abs=20)
    assert hounsfield.min() >= -1024
    assert 200 < hounsfield.max() < 600


def test_only_enhanced_phases_name_contrast(headers: list[pydicom.Dataset]) -> None:
    assert ["ContrastBolusAgent" in header for header in headers[::4]] == [False, True, True, True]


@pytest.mark.usefixtures("dciodvfy")
def test_an_independent_validator_finds_no_error(archive: dict[str, bytes], tmp_path: Path) -> None:
    for name in ("1/0001.dcm", "2/0001.dcm"):
        path = tmp_path / "slice.dcm"
        path.write_bytes(archive[name])
        said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        assert "CTImage" in said.stderr
        assert "Error" not in said.stderr
