"""Views: squares of tissue at several widths, and what a mask says of them."""

from pathlib import Path

import numpy as np
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.ultrasound.clips import find_clips
from hepatica.radiology.ultrasound.views import Viewing, resized, views

SQUARES = Viewing(kind="patches", side=16, pixel_mm=1.0, step_mm=8.0, scales=(1.0, 2.0), images=2)


def test_a_picture_on_pixels_twice_as_long_has_the_means() -> None:
    picture = np.array([[0, 0, 80, 80], [0, 0, 80, 80]], np.uint8).repeat(2, axis=0)
    np.testing.assert_array_equal(resized(picture, mm=(0.5, 0.5), to_mm=1.0, smooth=False), [[0, 80], [0, 80]])


def test_views_are_whole_tissue_and_do_not_depend_on_masks(scanned: Path) -> None:
    clips = [each.read() for each in find_clips(scanned / "ultrasound" / "0001.zip")]
    masks, _ = read_nifti(scanned / "masks_ultrasound" / "0001.nii.gz")
    alone, masked = views(clips, None, viewing=SQUARES), views(clips, np.asarray(masks, np.uint8), viewing=SQUARES)
    assert len(alone) == len(masked) > 60
    for a, b in zip(alone, masked, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
    assert all(each.values.shape == (16, 16, 2) for each in alone)
    assert min((each.values[..., 0] > 0).mean() for each in alone) > 0.8
    assert {each.row["image"] for each in alone} == {1, 2}
    assert np.isnan([each.row["lesion"] for each in alone]).all()


def test_the_share_of_a_lesion_is_that_of_its_mask(scanned: Path) -> None:
    clips = [find_clips(scanned / "ultrasound" / "0001.zip")[0].read()]
    left = np.where(np.arange(240) < 120, 2, 1)[None, None].repeat(180, axis=1).astype(np.uint8)
    middle = 120 * clips[0].mm[1]  # type: ignore[index]
    for each in views(clips, left, viewing=SQUARES):
        expected = np.clip((middle - (each.row["x_mm"] - 8)) / 16, 0, 1)
        assert each.row["lesion"] == pytest.approx(expected, abs=0.07)


def test_a_mask_of_another_size_is_refused(scanned: Path) -> None:
    clips = [find_clips(scanned / "ultrasound" / "0001.zip")[0].read()]
    with pytest.raises(SpecimenError, match="wanted the same"):
        views(clips, np.zeros((1, 10, 10), np.uint8), viewing=SQUARES)
