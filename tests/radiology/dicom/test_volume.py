"""Volume: pixels as Hounsfield units where they belong, whatever happened to single slices."""

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import read_volume


def read(folder):
    (series,) = read_study(folder).series
    return read_volume(series)


def cut(path, *, part=0.5):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])


@pytest.mark.parametrize("syntax", [None, JPEG2000Lossless], ids=["plain", "JPEG 2000"])
def test_a_truncated_slice_is_told_and_interpolated(ct, syntax):
    cut(ct.write(syntax=syntax)[2], part=0.85)
    volume = read(ct.folder)
    assert volume.measured.tolist() == [True, True, False, True, True, True]
    assert volume.notes == ("slices 3 of 6 from the feet are damaged; interpolated from their neighbours",)
    assert np.array_equal(volume.values, ct.body())


def test_a_slice_cut_within_its_header_is_set_aside_and_its_place_told_missing(ct):
    cut(ct.write()[2], part=0.1)
    study = read_study(ct.folder)
    assert study.refused[0].files == 1
    assert "slices are missing" in study.series[0].notes[0]
    assert np.array_equal(read_volume(study.series[0]).values, ct.body())


def test_too_many_damaged_slices_refuse_the_series(ct):
    for path in ct.write()[1:4]:
        cut(path, part=0.85)
    with pytest.raises(SpecimenError, match="3 of 6 slices"):
        read(ct.folder)


def test_nothing_but_damaged_slices(ct):
    for path in ct.write():
        cut(path, part=0.85)
    with pytest.raises(SpecimenError, match="none of the 6 slices"):
        read(ct.folder)


def test_the_frames_of_an_enhanced_ct_are_sorted_like_files(ct):
    ct.write_enhanced(ct.body(), order=[3, 0, 5, 1, 4, 2])
    volume = read(ct.folder)
    assert np.array_equal(volume.values, ct.body())
    assert volume.geometry.spacing == (5, 0.8, 0.7)


def test_a_volume_is_hounsfield_float32_with_its_place(ct):
    ct.write()
    volume = read(ct.folder)
    assert volume.units == "HU"
    assert volume.values.dtype == np.float32
    assert volume.geometry.origin == (-10, -12, 0)


def test_real_liver_has_the_density_of_liver_under_its_mask(real):
    """89 +- 22 HU and 366,708 voxels (TotalSegmentator's reference files); any axis turned gives SD from 96 on."""
    volume = read(real / "totalsegmentator/dicom")
    labels, geometry = read_nifti(real / "totalsegmentator/example_seg_dicom.nii.gz")
    assert geometry.agrees(volume.geometry)
    liver = volume.values[labels == 5]
    assert liver.size == 366_708
    assert round(float(liver.mean())) == 89
    assert round(float(liver.std())) == 22
    assert volume.measured.all()


def test_real_three_slices(real):
    volume = read(real / "dcmqi")
    assert volume.values.shape == (3, 512, 512)
    assert volume.geometry.spacing == pytest.approx((1, 0.810547, 0.810547))
    assert volume.values.min() == -1024  # the scanner's padding is -2000
