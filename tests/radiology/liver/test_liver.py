"""Liver: its slices are kept, by a mask or by the estimate, and all are kept where it is not known."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.nifti import read_nifti, write_nifti
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import Volume, read_volume
from hepatica.radiology.liver.liver import PADDING_MM, LiverExtent, estimate_liver, find_liver, liver_extent
from hepatica.radiology.masks.mask import read_mask
from hepatica.radiology.phantom import phantom_ct

ALL = {"first": 0, "source": "all", "confidence": 0.0}


def volume_of(values, *, spacing=(5.0, 3.0, 3.0), units="HU"):
    geometry = Geometry(shape=values.shape, spacing=spacing, origin=(0.0, 0.0, 0.0))
    return Volume(values=values.astype(np.float32), geometry=geometry, units=units, measured=np.ones(len(values), bool))


def extent_of(volume, *, mask):
    return liver_extent(volume, mask=mask, liver=find_liver(volume))


def ellipse(at_x, at_y, wide, deep):
    """(1 y x) bool."""
    _, y, x = np.mgrid[:1, :100, :120]
    return ((x - at_x) / wide) ** 2 + ((y - at_y) / deep) ** 2 < 1


def abdomen(*, liver=110, spleen=120, slices=(6, 25), count=32, also=()) -> Volume:
    """A trunk of fat with spine, a liver on the right in some of its slices, and a smaller spleen on the left.

    `also`: organs more, each the voxels and their HU.
    """
    z = np.arange(count)[:, None, None]
    within = (z >= slices[0]) & (z <= slices[1])
    values = np.where(ellipse(60, 50, 55, 42) & (z >= 0), -100, -1000)
    values[ellipse(60, 75, 9, 9) & (z >= 0)] = 250
    values[ellipse(35, 48, 24, 26) & within] = liver
    values[ellipse(95, 55, 10, 16) & within] = spleen
    for where, value in also:
        values[np.broadcast_to(where, values.shape)] = value
    return volume_of(values + np.random.default_rng(0).normal(0, 15, values.shape))


def overlap(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    """The four phases of one phantom patient, and where its liver truly is."""
    folder = phantom_ct(tmp_path_factory.mktemp("phantom"), patients=1, seed=1)
    volumes = [read_volume(series) for series in read_study(folder / "studies").series]
    return volumes, folder / "masks/0001.nii.gz"


@pytest.mark.parametrize("liver", [0, 45, 75, 110, 150])  # fatty, plain, arterial, portal venous
def test_a_liver_of_any_level_is_found(liver):
    volume = abdomen(liver=liver)
    extent = extent_of(volume, mask=None)
    assert (extent.first, extent.last, extent.source) == (5, 26, "estimate")  # 6 and 25 padded by a slice of 5 mm
    assert extent.confidence == 1
    found = estimate_liver(volume)
    assert not found[:, :, 80:].any()
    assert overlap(found, volume.values > -30) > 0.6


def test_a_large_cyst_is_not_taken_for_the_liver():
    slices = np.arange(32)[:, None, None]
    cyst = ellipse(35, 46, 18, 20) & (slices > 9) & (slices < 22)
    extent = extent_of(abdomen(liver=100, also=[(cyst, 10)]), mask=None)
    assert (extent.first, extent.last, extent.source) == (5, 26, "estimate")


def test_muscles_beside_the_spine_are_no_liver_though_they_touch_it_and_look_alike():
    muscle = ellipse(51, 80, 7, 11) & ~ellipse(60, 75, 9, 9)
    extent = extent_of(abdomen(liver=55, also=[(muscle, 55)]), mask=None)
    assert (extent.first, extent.last) == (5, 26)


def test_a_larger_organ_of_the_same_level_on_the_left_is_no_liver():
    volume = abdomen(liver=110, slices=(10, 20), also=[(ellipse(90, 48, 24, 30), 110)])
    found = estimate_liver(volume)
    assert found[15, 48, 35]
    assert not found[:, :, 70:].any()


def test_an_organ_mostly_on_the_left_is_not_credible():
    volume = abdomen(slices=(40, 40), also=[(ellipse(72, 40, 26, 24), 110)])
    assert estimate_liver(volume).any()
    assert extent_of(volume, mask=None).source == "all"


@pytest.mark.parametrize(("thick", "pad"), [(1.0, 5), (2.5, 2), (10.0, 1)])
def test_an_estimate_is_padded_by_millimetres_but_one_slice_at_least(thick, pad):
    assert PADDING_MM == 5
    values = np.repeat(abdomen().values, round(10 / thick), axis=0)
    extent = extent_of(volume_of(values, spacing=(thick, 3.0, 3.0)), mask=None)
    per = round(10 / thick)
    assert extent.first == pytest.approx(6 * per - pad, abs=5 / thick)
    assert extent.last == pytest.approx(26 * per - 1 + pad, abs=5 / thick)
    assert extent.first <= 6 * per - 1
    assert extent.last >= 26 * per


def test_a_liver_cut_by_the_ends_of_the_series_reaches_them():
    extent = extent_of(abdomen(slices=(0, 31)), mask=None)
    assert (extent.first, extent.last) == (0, 31)


def test_without_liver_all_slices_are_kept():
    volume = abdomen(slices=(40, 40))
    assert extent_of(volume, mask=None) == LiverExtent(
        **ALL, last=31, notes=("no credible liver was found; all slices kept",)
    )
    assert not estimate_liver(volume).any()


@pytest.mark.parametrize("value", [-1000, 50])
def test_nothing_but_one_value_is_no_liver(value):
    assert extent_of(volume_of(np.full((3, 20, 20), value)), mask=None).source == "all"


def test_a_single_slice_is_enough_to_look_at():
    extent = extent_of(abdomen(slices=(0, 0), count=1), mask=None)
    assert (extent.first, extent.last, extent.source) == (0, 0, "estimate")


def test_pictures_keep_all_slices():
    volume = volume_of(np.full((4, 30, 30), 90), units="grey")
    extent = extent_of(volume, mask=None)
    assert (extent.last, extent.source) == (3, "all")
    assert "without Hounsfield units" in extent.notes[0]
    assert not estimate_liver(volume).any()


def test_a_mask_is_believed_to_the_slice(tmp_path):
    volume = abdomen()
    labels = np.zeros(volume.values.shape, np.uint8)
    labels[9:12, 40:45, 20:30] = 1
    write_nifti(tmp_path / "m.nii.gz", values=labels, geometry=volume.geometry)
    assert extent_of(volume, mask=tmp_path / "m.nii.gz") == LiverExtent(first=9, last=11, source="mask", confidence=1.0)


def test_other_organs_of_a_mask_do_not_count(tmp_path):
    volume = abdomen()
    labels = np.zeros(volume.values.shape, np.uint8)
    labels[9:12, 40:45, 20:30], labels[2:5, 40:42, 80:82] = 5, 1  # TotalSegmentator: liver and spleen
    write_nifti(tmp_path / "m.nii.gz", values=labels, geometry=volume.geometry)
    extent = extent_of(volume, mask=tmp_path / "m.nii.gz")
    assert (extent.first, extent.last) == (9, 11)


def test_a_mask_without_liver_keeps_all_slices_and_says_so(tmp_path):
    volume = abdomen()
    write_nifti(tmp_path / "m.nii", values=np.zeros(volume.values.shape, np.uint8), geometry=volume.geometry)
    extent = extent_of(volume, mask=tmp_path / "m.nii")
    assert (extent.source, extent.last) == ("all", 31)
    assert "marks no liver" in extent.notes[0]


def test_a_mask_of_another_place_is_refused(tmp_path):
    volume = abdomen()
    far = replace(volume.geometry, origin=(0.0, 0.0, 900.0))
    write_nifti(tmp_path / "m.nii", values=np.ones(volume.values.shape, np.uint8), geometry=far)
    with pytest.raises(SpecimenError, match="outside the volume"):
        extent_of(volume, mask=tmp_path / "m.nii")


@pytest.mark.parametrize("phase", range(4))
def test_the_phantoms_liver_is_found_in_every_phase_and_no_slice_lost(phantom, phase):
    volumes, path = phantom
    truth = read_mask(path, geometry=volumes[phase].geometry, only="liver")
    slices = np.flatnonzero(truth.any(axis=(1, 2)))
    extent = extent_of(volumes[phase], mask=None)
    assert overlap(estimate_liver(volumes[phase]), truth) > 0.8
    assert slices[0] - 4 <= extent.first <= slices[0]
    assert slices[-1] <= extent.last <= slices[-1] + 4


def test_real_series_in_a_contrast_phase_dark_beside_the_arms(real):
    volume = find_scans(real / "totalsegmentator/dicom").scans[0].read()
    truth = read_mask(real / "totalsegmentator/example_seg_dicom.nii.gz", geometry=volume.geometry, only="liver")
    assert overlap(estimate_liver(volume), truth) > 0.9
    extent = extent_of(volume, mask=None)
    assert (extent.first, extent.last, extent.source) == (0, 19, "estimate")


def test_real_plain_series_down_to_the_thighs(real):
    volume = find_scans(real / "totalsegmentator/example_ct.nii.gz").scans[0].read()
    labels, _ = read_nifti(real / "totalsegmentator/example_seg.nii.gz")
    top = len(volume.values) - len(labels)  # the labels are of its uppermost slices, though the file places them lowest
    assert overlap(estimate_liver(volume)[top:], labels == 5) > 0.85
    extent = extent_of(volume, mask=None)
    assert extent.last == len(volume.values) - 1
    assert 60 < extent.first < top  # the tip, seen by eye in slice 70 or so


def test_real_plain_slices_at_1_mm(real):
    volume = read_volume(read_study(real / "dcmqi").series[0])
    truth = read_mask(real / "dcmqi/liver.dcm", geometry=volume.geometry, only="liver")
    assert overlap(estimate_liver(volume), truth) > 0.85
