"""Views: squares of tissue at several widths, and what a mask says of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.ultrasound.clips import find_clips
from hepatica.radiology.ultrasound.views import (
    MOST_KPA,
    Viewing,
    capsule_course,
    capsule_strip,
    evened,
    resized,
    views,
)

SQUARES = Viewing(kind="patches", side=16, pixel_mm=1.0, step_mm=8.0, scales=(1.0, 2.0), images=2)


def test_a_picture_on_pixels_twice_as_long_has_the_means() -> None:
    picture = np.array([[0, 0, 80, 80], [0, 0, 80, 80]], np.uint8).repeat(2, axis=0)
    np.testing.assert_array_equal(resized(picture, mm=(0.5, 0.5), to_mm=1.0, smooth=False), [[0, 80], [0, 80]])


def test_gain_and_dynamic_range_of_a_machine_are_evened_out() -> None:
    """Grey levels of 1.25 times the spread, and 30 more, give the same picture within rounding, black beside it."""
    grey = np.random.default_rng(0).normal(90, 20, (40, 60)).clip(30, 150).round()
    seen = np.ones(grey.shape, bool)
    seen[:5] = False
    other = np.where(seen, 1.25 * grey + 30, 0)
    np.testing.assert_allclose(evened(other, seen).astype(int), evened(np.where(seen, grey, 0), seen), atol=1)
    assert not evened(other, seen)[:5].any()
    assert evened(other, seen)[5:].mean() == pytest.approx(96, abs=1)
    assert evened(other, seen)[5:].std() == pytest.approx(32, abs=1)


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


def test_the_course_of_a_bright_line_is_found() -> None:
    """A capsule at row 40 + x / 8 in half millimetres, among speckle."""
    rng = np.random.default_rng(0)
    grey = rng.rayleigh(40, (120, 200))
    true = 40 + np.arange(200) // 8
    for shift in (-1, 0, 1):
        grey[true + shift, np.arange(200)] = 200
    found = capsule_course(grey.clip(0, 255).astype(np.uint8), np.ones((120, 200), bool), pixel_mm=0.5)
    assert np.abs(found - true)[5:-5].max() <= 2


def test_the_strip_keeps_what_is_rough_and_straightens_what_is_smooth() -> None:
    """Bumps of 2 mm every 10 mm stay in the strip; a slope of 12 mm over the image is taken out."""
    columns = np.arange(240)
    bumps = np.rint(4 * np.sin(2 * np.pi * columns / 20)).astype(int)
    course = 50 + columns // 10 + bumps
    grey = np.full((140, 240), 60, np.uint8)
    for shift in (-1, 0, 1):
        grey[course + shift, columns] = 220
    strip = capsule_strip(grey, np.ones_like(grey, bool), pixel_mm=0.5)
    height = strip[:, 40:200].argmax(axis=0)
    assert strip.shape == (32, 240)
    assert np.ptp(height) <= 2 * 4 + 6
    assert height.std() > 1.5


def test_an_elastogram_gives_b_mode_kpa_and_quality(followed: Path) -> None:
    table = pd.read_csv(followed / "patients.csv").merge(pd.read_csv(followed / "specimens.csv"))
    for row in table.to_dict("records"):
        clips = [each.read() for each in find_clips(followed / "ultrasound" / Path(row["path"]).name)]
        (view,) = views(clips, None, viewing=Viewing(kind="elastogram", side=32))
        assert view.values.shape == (32, 32, 3)
        assert view.row["kpa"] == pytest.approx(row["stiffness_kpa"], rel=0.15)
        known = view.values[..., 2] == 255
        assert 0.3 < known.mean() <= 1
        assert MOST_KPA * np.median(view.values[known][:, 1]) / 255 == pytest.approx(view.row["kpa"], rel=0.1)
        assert view.values[..., 0].mean() > 20  # the B-mode image beside, not the colours


def test_a_cine_is_cut_around_its_lesion_at_even_times(embolised: Path) -> None:
    clips = [each.read() for each in find_clips(embolised / "ultrasound" / "0001.zip")]
    masks, _ = read_nifti(embolised / "masks_ultrasound" / "0001.nii.gz")
    (view,) = views(clips, np.asarray(masks, np.uint8), viewing=Viewing(kind="cine", side=24, times=6))
    assert view.values.shape == (6, 24, 24, 3)
    assert view.row["duration_s"] == pytest.approx(60)
    lesion = view.values[0, ..., 2] > 0
    assert 0.2 < lesion.mean() < 0.75
    contrast = view.values[..., 0][:, lesion].mean(axis=1)
    assert contrast.max() > contrast[0] + 20
    assert np.ptp(view.values[..., 1], axis=0).max() == 0  # the B-mode image beside it is one


def test_another_kind_is_refused_by_name(scanned: Path) -> None:
    clips = [each.read() for each in find_clips(scanned / "ultrasound" / "0001.zip")]
    with pytest.raises(SpecimenError, match="kinds b-mode, wanted cine"):
        views(clips, None, viewing=Viewing(kind="cine", side=24))
