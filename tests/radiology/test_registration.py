from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hepatica.cohort import SettingsError, SpecimenError
from hepatica.cohort.phantom import SUSPECTED, draw_patients
from hepatica.cohort.streams import generator
from hepatica.radiology import registration
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.phantom.scanner import HOSPITALS, PhantomSettings
from hepatica.radiology.phantom.study import draw_study
from hepatica.radiology.registration import register, to_grid

SMALL = PhantomSettings(matrix=96, slices=24, thickness_mm=6.0)
SHIFT = np.array([5.0, -4.0, 12.0])  # mm x y z: another breath-hold
BEND, WAVE = 4.0, 200.0  # mm


def volume(values, geometry, units="HU") -> Volume:
    return Volume(
        values=np.asarray(values, np.float32), geometry=geometry, units=units, measured=np.ones(len(values), bool)
    )


def oblique(shape, *, degrees=30.0, spacing=(3.0, 1.5, 1.0), origin=(1.0, 2.0, 3.0)) -> Geometry:
    """A grid turned about the body's long axis and then tipped to the front."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn * spacing[::-1]
    matrix[:3, 3] = origin
    return from_lps(matrix, shape=shape)


def places(geometry: Geometry) -> np.ndarray:
    """(z y x 3) mm of each voxel."""
    z, y, x = np.meshgrid(*map(np.arange, geometry.shape), indexing="ij")
    return np.stack([x, y, z], axis=-1) @ geometry.lps[:3, :3].T + geometry.lps[:3, 3]


def test_a_volume_on_a_finer_grid_lies_on_the_straight_line_between_its_voxels():
    ramp = volume(np.arange(24).reshape(2, 3, 4) * 10.0, Geometry(shape=(2, 3, 4), spacing=(5, 2, 1), origin=(0, 0, 0)))
    asked = Geometry(shape=(3, 1, 2), spacing=(2.5, 1, 0.5), origin=(1.5, 1.0, 0.0))
    found = to_grid(ramp, asked)
    # first voxel: z 0, y half-way between rows 0 and 1 (0 + 20), x half-way between 1 and 2 (15)
    np.testing.assert_allclose(found.values[:, 0, :], [[35, 40], [95, 100], [155, 160]], atol=1e-4)
    assert found.geometry == asked
    assert found.measured.all()


@pytest.mark.parametrize("units", ["HU", "grey"])
def test_oblique_grids_agree_on_what_is_linear_in_the_patient(units):
    own = oblique((12, 20, 24), degrees=20, spacing=(2.0, 1.5, 1.0))
    slope = np.array([3.0, -2.0, 5.0])
    other = oblique((5, 6, 7), degrees=-10, spacing=(2.5, 1.2, 0.8), origin=tuple(places(own)[4, 6, 8]))
    found = to_grid(volume(places(own) @ slope, own, units), other)
    wanted = places(other) @ slope
    index = (np.c_[places(other).reshape(-1, 3), np.ones(5 * 6 * 7)] @ np.linalg.inv(own.lps).T)[:, 2::-1]
    inside = ((index >= 0) & (index <= np.array(own.shape) - 1)).all(axis=1).reshape(other.shape)
    assert 0.3 < inside.mean() <= 1
    np.testing.assert_allclose(found.values[inside], wanted[inside], atol=1e-2)
    far = to_grid(volume(places(own) @ slope, own, units), replace(other, origin=(500.0, 0.0, 0.0)))
    assert (far.values == (-1024 if units == "HU" else 0)).all()
    assert not far.measured.any()


def test_a_slice_that_was_not_measured_stays_so_and_the_same_grid_is_no_work():
    own = Geometry(shape=(4, 5, 6), spacing=(5, 1, 1), origin=(0, 0, 0))
    holed = replace(volume(np.zeros(own.shape), own), measured=np.array([True, False, True, True]))
    assert to_grid(holed, own) is holed
    finer = to_grid(holed, Geometry(shape=(10, 5, 6), spacing=(2.5, 1, 1), origin=(0, 0, -2)))
    assert finer.measured.tolist() == [True, True, False, False, True, True, True, True, False, False]


@pytest.fixture(scope="module")
def study():
    patient = draw_patients(1, population=SUSPECTED)[0]
    drawn = draw_study(generator(7, "registration"), patient, hospital=HOSPITALS["A"], difficulty=0, settings=SMALL)
    return drawn, drawn.geometry


def fixed_place(moving: np.ndarray) -> np.ndarray:
    """Where in the undisplaced phase lies what the displaced one shows at these places (... 3: x y z)."""
    at = moving - SHIFT
    waves = [np.sin(2 * np.pi * at[..., axis] / WAVE + phase) for axis, phase in ((1, 0), (2, 1), (0, 2))]
    return at + BEND * np.stack(waves, axis=-1)


def displaced(values, geometry: Geometry, *, order=1) -> np.ndarray:
    index = (fixed_place(places(geometry)) - geometry.origin) / geometry.spacing[::-1]
    return ndimage.map_coordinates(values, np.moveaxis(index[..., ::-1], -1, 0), order=order, cval=values.min())


@pytest.fixture(scope="module")
def registered(study):
    drawn, geometry = study
    arterial, portal = (drawn.values[k].astype(np.float32) for k in (1, 2))
    liver = drawn.mask > 0
    return register(
        volume(displaced(portal, geometry), geometry),
        volume(arterial, geometry),
        within=liver,
        moving_within=displaced(liver.astype(np.uint8), geometry, order=0) > 0,
    )


def test_a_displaced_phase_comes_back_to_about_a_millimetre(study, registered):
    drawn, geometry = study
    index = np.argwhere(drawn.mask > 0)[::97]
    fixed = places(geometry)[tuple(index.T)]
    moving = fixed.copy()
    for _ in range(60):
        moving -= fixed_place(moving) - fixed
    seen = np.abs(moving[:, 2]) < geometry.spacing[0] * (geometry.shape[0] / 2 - 2)
    before, after = registered.landmark_error(fixed[seen], moving[seen])
    assert before.mean() > 12
    assert after.mean() < 2.5  # a quarter of the voxel; 1.5 mm on the benchmark's finer ones
    assert registered.kind == "deformable"
    assert registered.overlap_before < 0.85 < 0.95 < registered.overlap_after
    assert registered.information_after > 2 * registered.information_before
    assert registered.folded_share == 0
    assert registered.volume.geometry == geometry
    assert "deformable registration: overlap of the livers" in registered.volume.notes[-1]


def test_the_same_inputs_give_the_same_volume(study):
    drawn, geometry = study
    _, down, across = geometry.spacing
    coarse = replace(geometry, shape=(24, 48, 48), spacing=(6.0, 2 * down, 2 * across))
    pair = [volume(drawn.values[k][:, ::2, ::2], coarse) for k in (2, 1)]
    pair[0] = replace(pair[0], geometry=replace(coarse, origin=(0.0, 4.0, 12.0)))
    again = [register(*pair, kind="rigid") for _ in range(2)]
    assert again[0].kind == "rigid"
    assert np.array_equal(*(each.volume.values for each in again))


def test_of_mr_the_bodies_are_laid_on_each_other(study):
    drawn, geometry = study
    _, down, across = geometry.spacing
    coarse = replace(geometry, shape=(24, 48, 48), spacing=(6.0, 2 * down, 2 * across))
    t2, t1 = (volume(1024.0 + drawn.values[k][:, ::2, ::2], coarse, "signal") for k in (2, 1))
    x, y, z = coarse.origin
    found = register(replace(t2, geometry=replace(coarse, origin=(x, y + 24, z))), t1, kind="rigid")
    assert found.kind == "rigid"
    assert found.overlap_before < 0.95 < found.overlap_after
    assert found.volume.notes[-1].startswith("rigid registration: overlap of the bodies 0.")


def test_phases_that_agree_are_left_as_they_are(study):
    drawn, geometry = study
    arterial, portal = (drawn.values[k].astype(np.float32) for k in (1, 2))
    found = register(volume(portal, geometry), volume(arterial, geometry))
    assert found.kind == "none"
    assert np.array_equal(found.volume.values, portal)
    assert [note.split(":")[0] for note in found.volume.notes] == [
        "rigid registration not used", "deformable registration not used", "overlap of the livers 0.96"
    ]  # fmt: skip
    assert found.landmark_error(np.zeros((1, 3)), np.ones((1, 3)))[1] == pytest.approx(np.sqrt(3))


def test_what_lowers_the_overlap_or_folds_is_not_used(study, monkeypatch):
    drawn, geometry = study
    arterial, portal = (drawn.values[k].astype(np.float32) for k in (1, 2))
    moving, liver = volume(displaced(portal, geometry), geometry), drawn.mask > 0
    found = register(moving, volume(arterial, geometry), kind="rigid", within=liver, moving_within=liver)
    assert found.kind == "none"  # the masks say that the livers lie on each other already
    assert "the overlap of the livers falls from 1.000" in found.volume.notes[0]

    def folding(fixed, moving, *, where, spacing):
        z, y, x = np.mgrid[tuple(slice(side) for side in where.shape)]
        return np.stack([0 * z, 0 * y, -2.0 * spacing[2] * x], axis=-1)

    monkeypatch.setattr(registration, "deformation", folding)
    monkeypatch.setattr(registration, "LEAST_GAIN", -9.0)
    found = register(volume(portal, geometry, "grey"), volume(arterial, geometry, "grey"))  # no livers are known
    assert found.kind == "rigid"
    assert found.overlap_after is None
    assert "100.00% of voxels are folded" in found.volume.notes[0]


def test_faults(study):
    drawn, geometry = study
    one = volume(drawn.values[1], geometry)
    with pytest.raises(SettingsError, match="wanted one of none, rigid, deformable"):
        register(one, one, kind="affine")
    with pytest.raises(SpecimenError, match="wanted those of the volume"):
        register(one, one, within=np.ones((2, 2, 2), bool))


def test_volumes_that_share_no_place_are_left_alone(study):
    drawn, geometry = study
    away = volume(drawn.values[1], replace(geometry, origin=(2000.0, 0.0, 0.0)))
    found = register(away, volume(drawn.values[1], geometry), kind="rigid")
    assert found.kind == "none"
    assert "share too few places" in found.volume.notes[0]
