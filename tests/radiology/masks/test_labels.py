"""Labels: NRRD as NIfTI, and the segments of 3D Slicer, which may overlap."""

import numpy as np
import pytest
import SimpleITK

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.masks.labels import of_nifti, of_nrrd
from hepatica.radiology.masks.mask import read_mask

PLACE = Geometry(shape=(6, 20, 24), spacing=(5.0, 0.8, 0.7), origin=(-10.0, -12.0, 3.0))
TURNED = np.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])


def nrrd(path, layers, *, direction=None, header=None):
    """(n z y x) uint8 as a NRRD file, a layer each; of one layer a plain volume."""
    flat = layers[0] if len(layers) == 1 else np.moveaxis(layers, 0, -1)
    image = SimpleITK.GetImageFromArray(flat, isVector=len(layers) > 1)
    image.SetSpacing(PLACE.spacing[::-1])
    image.SetOrigin(PLACE.origin)
    image.SetDirection((np.eye(3) if direction is None else direction).ravel().tolist())
    for key, value in (header or {}).items():
        image.SetMetaData(key, value)
    SimpleITK.WriteImage(image, str(path))
    return path


def boxes(*slices):
    labels = np.zeros((1, *PLACE.shape), np.uint8)
    for label, box in enumerate(slices, start=1):
        labels[0][box] = label
    return labels


BIG, SMALL = np.s_[1:5, 2:18, 2:20], np.s_[2:4, 5:9, 6:12]


def test_nrrd_lies_where_nifti_does(tmp_path):
    labels = boxes(BIG, SMALL)
    write_nifti(tmp_path / "m.nii.gz", values=labels[0], geometry=PLACE)
    one, other = of_nifti(tmp_path / "m.nii.gz"), of_nrrd(nrrd(tmp_path / "m.nrrd", labels))
    for only in (None, [2], "liver"):
        (marked, place), (wanted, where) = other.take(only), one.take(only)
        assert np.array_equal(marked, wanted)
        assert place.agrees(where)
    assert dict(one.names) == dict(other.names) == {1: "", 2: ""}


def test_an_oblique_nrrd_keeps_its_axes(tmp_path):
    _, place = of_nrrd(nrrd(tmp_path / "m.nrrd", boxes(BIG), direction=TURNED)).take(None)
    corner = place.lps @ [23, 19, 5, 1]
    np.testing.assert_allclose(corner[:3], np.array(PLACE.origin) + TURNED @ [23 * 0.7, 19 * 0.8, 25], atol=1e-9)


def test_segments_of_3d_slicer_may_overlap_and_are_named(tmp_path):
    layers = np.concatenate([boxes(BIG), boxes(SMALL)])
    header = {
        "Segment0_ID": "a", "Segment0_Name": "Liver", "Segment0_LabelValue": "1", "Segment0_Layer": "0",
        "Segment1_ID": "b", "Segment1_Name": "HCC", "Segment1_LabelValue": "1", "Segment1_Layer": "1",
    }  # fmt: skip
    found = of_nrrd(nrrd(tmp_path / "m.seg.nrrd", layers, header=header))
    assert found.names == {1: "Liver", 2: "HCC"}  # equal label values: numbered by their place
    assert np.array_equal(found.take([2])[0], layers[1] > 0)
    assert np.array_equal(found.take("liver")[0], layers[0] > 0)
    assert np.array_equal(found.take(None)[0], layers[0] > 0)


def test_segments_of_one_layer_have_their_label_value(tmp_path):
    labels = boxes(BIG) * 3
    labels[0][SMALL] = 7
    header = {
        "Segment0_ID": "a", "Segment0_Name": "hcc 1", "Segment0_LabelValue": "3",
        "Segment1_ID": "b", "Segment1_Name": "hcc 2", "Segment1_LabelValue": "7",
    }  # fmt: skip
    found = of_nrrd(nrrd(tmp_path / "m.seg.nrrd", labels, header=header))
    assert found.names == {3: "hcc 1", 7: "hcc 2"}
    assert np.array_equal(found.take([7])[0], labels[0] == 7)


def test_a_flat_nrrd_is_refused(tmp_path):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.ones((4, 5), np.uint8)), str(tmp_path / "m.nrrd"))
    with pytest.raises(SpecimenError, match="wanted 3 axes"):
        of_nrrd(tmp_path / "m.nrrd")


def test_a_real_nrrd_is_the_real_seg(real):
    folder = real / "dcmqi"
    geometry = read_study(*(folder / f"0{k}.dcm" for k in (1, 2, 3))).axial()[0].geometry
    marked = read_mask(folder / "liver_seg.nrrd", geometry=geometry)
    assert marked.sum() == 107_098
    assert np.array_equal(marked, read_mask(folder / "liver.dcm", geometry=geometry))
