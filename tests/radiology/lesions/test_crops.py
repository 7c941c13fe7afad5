"""Crops: the lesion in the middle at the size asked for, whatever grid each phase and the mask are on."""

from dataclasses import replace

import numpy as np
import pytest
from ct_balls import HCC, PLACE, balls

from hepatica.cohort import SettingsError, SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.lesions.crops import LESION, RIM, Cropping, crops, sampled
from hepatica.radiology.lesions.marks import Mark, cut
from hepatica.radiology.phase.together import StudyPhases

WANTED = ("plain", "arterial", "delayed")


def volume(values, geometry=PLACE):
    return Volume(values=values.astype(np.float32), geometry=geometry, units="HU", measured=np.ones(len(values), bool))


def study(lesion=HCC, geometry=PLACE, **others):
    """Phases, of which `others` are on another grid, and the mark of one lesion."""
    values, labels = balls(lesions=[lesion], geometry=geometry)
    volumes = {name: volume(each, geometry) for name, each in values.items()}
    for name, grid in others.items():
        volumes[name] = volume(balls(lesions=[lesion], geometry=grid)[0][name], grid)
    marked, place = cut(labels == 1, geometry)
    mark = Mark(lesion_id="1", marked=marked, geometry=place, diameter_mm=lesion[2], outlined=True)
    return StudyPhases(volumes=volumes, found={n: n for n in volumes}, reference="plain"), mark


def turned(degrees):
    """A grid of 2 mm about the lesion, turned about the patient's long axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    axes = ((0.0, 0.0, 1.0), (-s, c, 0.0), (c, s, 0.0))
    origin = np.array(HCC[1]) - np.array([11, 24, 24]) * np.array([3, 2, 2]) @ np.array(axes)
    return Geometry(shape=(23, 49, 49), spacing=(3.0, 2.0, 2.0), origin=tuple(origin), directions=axes)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_lesion_lies_in_the_middle_and_fills_its_share(share):
    phases, mark = study()
    (crop,) = crops(mark, phases, cropping=Cropping(voxels=(16, 32, 32), share=share), wanted=WANTED)
    np.testing.assert_allclose(crop.centre, HCC[1], atol=1.6)
    for axis in (1, 2):
        extent = np.flatnonzero((crop.mask == LESION).any(axis=tuple({0, 1, 2} - {axis})))
        assert np.ptp(extent) + 1 == pytest.approx(share * 32, abs=1.1)
    middle = crop.values[:, 7:9, 15:17, 15:17].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(middle, (40, 140, 60), atol=0.5)
    np.testing.assert_allclose(crop.values[:, 7, 0, 16], (60, 60, 100), atol=0.5)


def test_fixed_voxels_are_of_their_size():
    phases, mark = study()
    (crop,) = crops(mark, phases, cropping=Cropping(voxels=(8, 20, 20), voxel_mm=(4, 2, 2)), wanted=WANTED)
    assert crop.geometry.spacing == (4, 2, 2)
    assert (crop.mask == LESION).sum() * 16 == pytest.approx(4 / 3 * np.pi * 10**3, rel=0.1)


@pytest.mark.parametrize("degrees", [15, 40])
def test_a_phase_on_an_oblique_grid_is_read_at_the_same_places(degrees):
    phases, mark = study(delayed=turned(degrees))
    (crop,) = crops(mark, phases, cropping=Cropping(voxels=(8, 16, 16), share=0.7), wanted=WANTED)
    straight, _ = study()
    (other,) = crops(mark, straight, cropping=Cropping(voxels=(8, 16, 16), share=0.7), wanted=WANTED)
    sharp = np.abs(crop.values[2] - other.values[2])
    assert np.median(sharp) < 1
    assert np.corrcoef(crop.values[2].ravel(), other.values[2].ravel())[0, 1] > 0.95


def test_slices_are_those_of_the_largest_area_in_order():
    phases, mark = study()
    cropping = Cropping(voxels=(1, 24, 24), share=0.8, slices=3)
    found = list(crops(mark, phases, cropping=cropping, wanted=WANTED))
    areas = [each.area_mm2 for each in found]
    assert areas == sorted(areas, reverse=True)
    assert areas[0] == pytest.approx(np.pi * 10**2, rel=0.1)
    assert found[0].centre[2] == pytest.approx(HCC[1][2], abs=2.1)
    assert found[0].values.shape == (3, 1, 24, 24)
    assert {each.centre[2] for each in found} <= set(np.arange(100.0, 164.0, 4))


def test_the_rim_is_of_its_width():
    phases, mark = study()
    cropping = Cropping(voxels=(1, 60, 60), voxel_mm=(1, 1, 1), rim_mm=5.0)
    (crop,) = crops(mark, phases, cropping=cropping, wanted=WANTED)
    lesion, rim = (crop.mask == LESION).sum(), (crop.mask == RIM).sum()
    radius = np.sqrt(lesion / np.pi)
    assert rim == pytest.approx(np.pi * ((radius + 5) ** 2 - radius**2), rel=0.08)


def test_a_phase_that_is_left_empty_is_missing_and_one_beside_the_lesion_is_an_error():
    phases, mark = study()
    alone = StudyPhases(volumes={"plain": phases.volumes["plain"]}, found={"plain": "plain"}, reference="plain")
    (crop,) = crops(mark, alone, cropping=Cropping(voxels=(4, 8, 8), share=0.7), wanted=WANTED)
    assert np.isnan(crop.values[1:]).all()
    assert not np.isnan(crop.values[0]).any()
    away = replace(PLACE, origin=(400.0, 0.0, 0.0))
    with pytest.raises(SpecimenError, match="lesion 7 lies beside the series"):
        sampled(volume(np.zeros(PLACE.shape), away), crop.geometry, of="7")


def test_a_coarse_crop_is_the_mean_of_what_it_covers():
    noise = np.random.default_rng(0).normal(50, 30, PLACE.shape)
    grid = Geometry(shape=(2, 6, 6), spacing=(16.0, 7.5, 7.5), origin=(-20.0, -20.0, 120.0))
    found = sampled(volume(noise), grid, of="1")
    assert found.std() < 30 / 5
    assert found.mean() == pytest.approx(50, abs=3)


@pytest.mark.parametrize("step", [1.5, 3.0, 3.7, 6.0])
def test_a_coarse_crop_is_not_shifted(step):
    """A ramp along x keeps its values at every step."""
    ramp = np.broadcast_to(np.arange(56.0), PLACE.shape)
    grid = Geometry(shape=(1, 1, 5), spacing=(4.0, step, step), origin=(-10.0, 0.0, 120.0))
    found = sampled(volume(ramp), grid, of="1")[0, 0]
    np.testing.assert_allclose(found, (np.arange(5) * step + 30) / 1.5, atol=1e-4)


def test_share_and_voxels_exclude_each_other():
    with pytest.raises(SettingsError, match="either lesion_share or voxel_mm"):
        Cropping(voxels=(4, 8, 8), share=0.7, voxel_mm=(1, 1, 1))
