"""NIfTI: there and back, and the same voxels however a file orders its axes."""

import itertools

import nibabel
import numpy as np
import pytest
from einops import rearrange
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.nifti import read_nifti, write_nifti

PLACE = Geometry(shape=(4, 5, 6), spacing=(2.5, 0.8, 0.7), origin=(-10.0, -12.0, 30.0))
ORIENTATIONS = [
    "".join(axes) for pairs in itertools.product("LR", "AP", "IS") for axes in itertools.permutations(pairs)
]


def test_written_and_read_again_nothing_changes(tmp_path):
    values = np.arange(120, dtype=np.float32).reshape(4, 5, 6)
    write_nifti(tmp_path / "v.nii.gz", values=values, geometry=PLACE)
    again, place = read_nifti(tmp_path / "v.nii.gz")
    assert np.array_equal(again, values)
    assert again.dtype == np.float32
    assert place.agrees(PLACE, tolerance=1e-5)
    assert place.spacing == pytest.approx(PLACE.spacing)


@settings(deadline=None, max_examples=20)
@given(code=st.sampled_from(ORIENTATIONS))
def test_any_order_of_axes_is_read_as_the_same_voxels(code, tmp_path_factory):
    path = tmp_path_factory.mktemp("nifti") / "v.nii"
    values = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    image = nibabel.Nifti1Image(rearrange(values, "z y x -> x y z"), PLACE.affine)
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("LPS"), nibabel.orientations.axcodes2ornt(code)
    )
    nibabel.save(image.as_reoriented(turn), path)
    again, place = read_nifti(path)
    assert np.array_equal(again, values)
    assert again.dtype == np.int16
    assert place.agrees(PLACE, tolerance=1e-5)


def test_a_file_without_place_is_refused(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.uint8), None)
    nibabel.save(image, tmp_path / "v.nii")
    with pytest.raises(SpecimenError, match="no position in the patient"):
        read_nifti(tmp_path / "v.nii")


def test_several_volumes_in_a_file_are_refused(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 3, 4, 2), np.uint8), np.eye(4)), tmp_path / "v.nii")
    with pytest.raises(SpecimenError, match="4 axes"):
        read_nifti(tmp_path / "v.nii")


@pytest.mark.parametrize("content", [b"", b"no image", bytes(400)])
def test_damaged_files_are_refused(tmp_path, content):
    (tmp_path / "v.nii").write_bytes(content)
    with pytest.raises(SpecimenError, match=r"NIfTI|no position in the patient"):
        read_nifti(tmp_path / "v.nii")
    with pytest.raises(SpecimenError, match="NIfTI"):
        read_nifti(tmp_path / "absent.nii")


def spoilt(tmp_path, *, qform=None, sform=None):
    image = nibabel.Nifti1Image(np.zeros((6, 5, 4), np.int16), PLACE.affine)
    for affine, setter in ((qform, image.set_qform), (sform, image.set_sform)):
        setter(PLACE.affine if affine is None else affine, code=1)
    nibabel.save(image, tmp_path / "v.nii.gz")
    return tmp_path / "v.nii.gz"


def test_a_sheared_grid_is_refused(tmp_path):
    sheared = PLACE.affine.copy()
    sheared[1, 2] = 0.3
    with pytest.raises(SpecimenError, match="sheared"):
        read_nifti(spoilt(tmp_path, qform=sheared, sform=sheared))


@pytest.mark.parametrize(("flip", "apart"), [(-1, True), (1, False)])
def test_two_positions_that_disagree_are_refused(tmp_path, flip, apart):
    path = spoilt(tmp_path, qform=PLACE.affine @ np.diag([flip, 1, 1, 1]))
    if apart:
        with pytest.raises(SpecimenError, match="qform and sform of the NIfTI file lie 7 mm apart"):
            read_nifti(path)
    else:
        assert read_nifti(path)[1].agrees(PLACE, tolerance=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_voxels_of_metres_or_micrometres_are_refused(tmp_path, scale):
    wrong = PLACE.affine @ np.diag([scale, scale, scale, 1])
    with pytest.raises(SpecimenError, match="export it again, in mm"):
        read_nifti(spoilt(tmp_path, qform=wrong, sform=wrong))


def test_a_claim_of_many_voxels_is_not_followed(tmp_path):
    path = tmp_path / "v.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), PLACE.affine), path)
    content = bytearray(path.read_bytes())
    content[42:48] = np.array([30000] * 3, "<i2").tobytes()
    path.write_bytes(content)
    with pytest.raises(SpecimenError, match=r"voxels, wanted 1 to 536870912"):
        read_nifti(path)
