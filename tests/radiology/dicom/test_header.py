"""Header: what one file says of its slices, read from the plain header or from an enhanced CT's functional groups."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.header import read_headers
from hepatica.radiology.dicom.series import decode
from hepatica.radiology.dicom.sources import Source


def headers(path):
    return read_headers(Source(path=path))


def test_one_plain_slice(ct):
    (header,) = headers(ct.write(ct.body(count=1), heights=[7.5])[0])
    assert header.position == (-10, -12, 7.5)
    assert header.orientation == (1, 0, 0, 0, 1, 0)
    assert header.spacing == (0.8, 0.7)  # between rows, then between columns
    assert (header.slope, header.intercept, header.bits, header.signed) == (1, -1024, 16, False)
    assert header.shape == (40, 48)
    assert header.thickness == 5


def test_an_enhanced_ct_says_the_same_frame_by_frame(ct):
    path = ct.write_enhanced(ct.body(count=3), order=[2, 0, 1])
    found = headers(path)
    assert [header.position[2] for header in found] == [10, 0, 5]
    assert [header.frame for header in found] == [0, 1, 2]
    assert {(header.spacing, header.slope, header.intercept) for header in found} == {((0.8, 0.7), 1, -1024)}


def test_the_unit_of_an_enhanced_ct_stands_in_its_functional_groups(ct):
    dataset = pydicom.dcmread(ct.write_enhanced(ct.body(count=3), order=[2, 0, 1]))
    dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0].RescaleType = "Z_EFF"
    with pytest.raises(SpecimenError, match="Z_EFF, not Hounsfield units"):
        headers(ct.save(dataset))


def test_a_silent_rescale_is_not_taken_for_one(ct):
    (header,) = headers(ct.write(ct.body(count=1), RescaleSlope=None, RescaleIntercept=None)[0])
    assert header.slope is None
    assert header.intercept is None


def test_identifiers_are_not_printed(ct):
    (header,) = headers(ct.write(ct.body(count=1))[0])
    assert header.patient.patient_id == "SECRET-1"
    assert "ecret" not in repr(header).lower()
    assert "1.2.3.4" not in repr(header)


def test_values_that_break_the_spelling_rules_are_read_without_a_warning(ct):
    with pydicom.config.disable_value_validation():
        (path,) = ct.write(ct.body(count=1), PatientBirthDate="unknown", SeriesInstanceUID="not a uid")
    (header,) = headers(path)
    assert header.series == ("not a uid",)


@pytest.mark.parametrize("content", [b"", b"text", bytes(300), bytes(128) + b"DICM"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(SpecimenError, match=r"DICOM|modality unnamed"):
        headers(path)


@pytest.mark.parametrize(
    "tags",
    [
        {"PixelSpacing": [0, 0]},
        {"PixelSpacing": [-0.8, 0.7]},
        {"ImagePositionPatient": [0, 0, 1e10]},
        {"ImagePositionPatient": [0, 0, -1e300]},
        {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]},
        {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]},
    ],
)
def test_lengths_and_directions_no_slice_can_have_are_refused(ct, tags):
    (path,) = ct.write(ct.body(count=1), **tags)
    with pytest.raises(SpecimenError, match="no usable position"):
        headers(path)


def test_one_patient_whose_name_is_spelled_in_two_ways_is_one(ct):
    spelled = [ct.write(ct.body(count=1), PatientName=name)[0] for name in ("Secret^Name", "SECRET^NAME^^ ")]
    one, other = (headers(path)[0].patient for path in spelled)
    assert one == other


def test_a_file_without_preamble_is_read_with_its_pixels(ct, tmp_path):
    (path,) = ct.write(ct.body(count=1))
    dataset = pydicom.dcmread(path)
    place = tmp_path / "bare"
    written = DicomBytesIO()
    written.is_little_endian, written.is_implicit_VR = True, False
    write_dataset(written, dataset)
    place.write_bytes(written.getvalue())
    (bare,), (whole,) = headers(place), headers(path)
    assert replace(bare, source=whole.source) == whole
    assert np.array_equal(decode([bare])[0], decode([whole])[0])
    (tmp_path / "zeros").write_bytes(bytes(2**16))
    with pytest.raises(SpecimenError, match="not a DICOM file"):
        headers(tmp_path / "zeros")
