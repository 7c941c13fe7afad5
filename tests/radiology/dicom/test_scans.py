"""Pictures: slices that lost their units are read as grey and say so."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom import archives
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.dicom.scans import find_scans, read_pictures


def write(folder, *, count=11, shape=(8, 9)):
    for k in range(count):
        Image.fromarray(np.full(shape, 20 * k, np.uint8)).save(folder / f"{k}.png")


def test_pictures_follow_their_numbers_not_their_letters(tmp_path):
    write(tmp_path)
    volume = read_pictures(tmp_path)
    assert volume.values[:, 0, 0].tolist() == [20.0 * k for k in range(11)]  # 10 after 9, not after 1
    assert volume.units == "grey"
    assert "without Hounsfield units" in volume.notes[0]


def test_faults_are_told(tmp_path):
    with pytest.raises(SpecimenError, match="no picture"):
        read_pictures(tmp_path)
    write(tmp_path, count=3)
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "9.png")
    with pytest.raises(SpecimenError, match="wanted one size"):
        read_pictures(tmp_path)
    (tmp_path / "9.png").write_bytes(b"no picture")
    with pytest.raises(SpecimenError, match="picture 4 in order cannot be read"):
        read_pictures(tmp_path)


def test_real_slices_of_a_paper(real):
    volume = read_pictures(real / "lilnet/case_1")
    assert volume.values.shape == (59, 512, 512)
    assert volume.values.max() <= 255


def test_what_macos_and_windows_leave_behind_is_no_picture(tmp_path):
    write(tmp_path, count=3)
    for name in ("._1.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / name).write_bytes(b"junk")
    assert find_scans(tmp_path).scans[0].read().values.shape == (3, 8, 9)


GEOMETRY = Geometry(shape=(3, 4, 5), spacing=(5.0, 0.8, 0.8), origin=(0.0, 0.0, 0.0))


def test_study_of_two_phases_is_two_scans(ct):
    ct.write(SeriesInstanceUID="1.1")
    ct.write(SeriesInstanceUID="1.2")
    found = find_scans(ct.folder)
    assert len(found.scans) == 2
    assert found.refused == ()
    volume = found.scans[0].read()
    assert volume.units == "HU"
    assert volume.geometry == found.scans[0].series.geometry


def test_what_is_no_ct_is_noted(ct):
    ct.write()
    ct.save(ct.dataset(np.zeros((4, 4), np.uint16), Modality="MR", SOPInstanceUID="1.9"))
    assert [each.reason for each in find_scans(ct.folder).refused] == ["modality MR, not CT"]


def test_two_patients_in_one_folder_are_refused(ct):
    ct.write()
    ct.write(PatientID="SECRET-2", SeriesInstanceUID="1.9")
    with pytest.raises(SpecimenError, match="got CT series of 2 patients in one study") as caught:
        find_scans(ct.folder)
    assert "SECRET" not in str(caught.value)


def test_study_without_axial_ct_is_refused(ct):
    ct.write(ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    with pytest.raises(SpecimenError, match=r"no axial CT series"):
        find_scans(ct.folder)


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_nifti_is_one_volume(tmp_path, name):
    values = np.linspace(-1000, 300, 60, dtype=np.float32).reshape(3, 4, 5)
    write_nifti(tmp_path / name, values=values, geometry=GEOMETRY)
    (scan,) = find_scans(tmp_path / name).scans
    assert scan.series is None
    np.testing.assert_allclose(scan.read().values, values)
    assert scan.read().geometry.agrees(GEOMETRY)


def test_nifti_without_air_is_no_ct(tmp_path):
    write_nifti(tmp_path / "mr.nii", values=np.ones((3, 4, 5), np.float32), geometry=GEOMETRY)
    with pytest.raises(SpecimenError, match="values from 1 to 1 are not Hounsfield units"):
        find_scans(tmp_path / "mr.nii").scans[0].read()


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=(3, 4, 5)),  # z-scores
        np.linspace(0, 1, 60).reshape(3, 4, 5),
        np.linspace(-47, 833, 60).reshape(3, 4, 5),  # MR, resampled
        np.full((3, 4, 5), np.nan),
    ],
)
def test_nifti_of_other_values_is_no_ct(tmp_path, values):
    write_nifti(tmp_path / "v.nii", values=values.astype(np.float32), geometry=GEOMETRY)
    with pytest.raises(SpecimenError, match="not Hounsfield units"):
        find_scans(tmp_path / "v.nii").scans[0].read()


def test_nifti_that_is_oblique_is_not_axial(tmp_path):
    turned = replace(GEOMETRY, directions=((0.5, 0.0, 0.8660254), (0.0, 1.0, 0.0), (0.8660254, 0.0, -0.5)))
    write_nifti(tmp_path / "v.nii", values=np.full((3, 4, 5), -500, np.float32), geometry=turned)
    with pytest.raises(SpecimenError, match="not axial: the slices' normal is 30 degrees"):
        find_scans(tmp_path / "v.nii").scans[0].read()


def test_real_mr_is_no_ct(real):
    with pytest.raises(SpecimenError, match="values from -47 to 833 are not Hounsfield units"):
        find_scans(real / "totalsegmentator/example_mr_sm.nii.gz").scans[0].read()


def test_folder_of_pictures_is_one_volume_without_units(tmp_path):
    for number in (2, 10, 1):
        Image.fromarray(np.full((6, 6), number, np.uint8)).save(tmp_path / f"{number}.png")
    (scan,) = find_scans(tmp_path).scans
    volume = scan.read()
    assert volume.units == "grey"
    assert volume.values[:, 0, 0].tolist() == [1, 2, 10]


def test_pictures_beside_other_files_are_a_study(tmp_path):
    Image.fromarray(np.zeros((6, 6), np.uint8)).save(tmp_path / "1.png")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SpecimenError, match=r"no axial CT series.*not a DICOM file"):
        find_scans(tmp_path)


def test_a_second_patient_whose_series_cannot_be_read_counts_too(ct):
    ct.write()
    ct.write(PatientID="SECRET-2", SeriesInstanceUID="1.9", ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    with pytest.raises(SpecimenError, match="got CT series of 2 patients"):
        find_scans(ct.folder)


def test_each_kind_refuses_the_other(ct, mr):
    ct.write()
    mr.write()
    with pytest.raises(SpecimenError, match=r"no axial CT series that can be read .6 files: modality MR, not CT"):
        find_scans(mr.folder)
    with pytest.raises(SpecimenError, match=r"no axial MR series that can be read .6 files: modality CT, not MR"):
        find_scans(ct.folder, kind="mr")
    assert [find_scans(each.folder, kind=kind).scans[0].read().units for each, kind in ((ct, "ct"), (mr, "mr"))] == [
        "HU",
        "signal",
    ]


def test_real_files_are_read_as_their_own_kind_only(real):
    files = {"mr": real / "totalsegmentator/example_mr_sm.nii.gz", "ct": real / "totalsegmentator/example_ct.nii.gz"}
    volume = find_scans(files["mr"], kind="mr").scans[0].read()
    assert (volume.units, volume.values.shape, volume.values.max()) == ("signal", (20, 91, 117), 833)
    assert find_scans(files["ct"]).scans[0].read().units == "HU"
    with pytest.raises(SpecimenError, match="those of CT"):
        find_scans(files["ct"], kind="mr").scans[0].read()
    with pytest.raises(SpecimenError, match="modality CT, not MR"):
        find_scans(real / "totalsegmentator/dicom", kind="mr")


def test_an_oblique_mr_keeps_its_directions(mr):
    tilt = np.radians(30)
    row, column = [1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)]
    normal = np.cross(row, column)
    values = mr.body()
    for k, image in enumerate(values):
        place = [*(4.0 * k * normal)]
        mr.write(image[None], ImagePositionPatient=place, ImageOrientationPatient=[*row, *column])
    volume = find_scans(mr.folder, kind="mr").scans[0].read()
    assert np.array_equal(volume.values, values + 1024)
    np.testing.assert_allclose(volume.geometry.directions, [normal, column, row], atol=1e-6)
    assert volume.geometry.spacing == pytest.approx((4.0, 0.8, 0.7))


def test_pictures_are_no_mr(tmp_path):
    write(tmp_path, count=3)
    with pytest.raises(SpecimenError, match="send the MR as DICOM or NIfTI"):
        find_scans(tmp_path, kind="mr")


def test_nrrd_and_mha_lie_as_the_nifti_they_are_of(tmp_path):
    import SimpleITK

    values = np.arange(60, dtype=np.int16).reshape(GEOMETRY.shape) - 1000
    write_nifti(tmp_path / "a.nii.gz", values=values, geometry=replace(GEOMETRY, origin=(3.0, -4.0, 5.0)))
    image = SimpleITK.ReadImage(str(tmp_path / "a.nii.gz"))
    turned = SimpleITK.DICOMOrient(image, "RAI")  # another order of voxels, the same places
    wanted = find_scans(tmp_path / "a.nii.gz").scans[0].read()
    for number, name in enumerate(("b.nrrd", "c.mha")):
        SimpleITK.WriteImage((image, turned)[number], str(tmp_path / name))
        read = find_scans(tmp_path / name).scans[0].read()
        assert np.array_equal(read.values, wanted.values)
        assert read.geometry.agrees(wanted.geometry)


def test_a_folder_of_phases_is_one_study_of_named_scans(tmp_path):
    values = np.zeros(GEOMETRY.shape, np.int16)
    for name in ("p1_arterial.nii.gz", "p1_portal_venous.nii.gz", "p1_tumour_mask.nii.gz"):
        write_nifti(tmp_path / name, values=values, geometry=GEOMETRY)
    assert [each.phase for each in find_scans(tmp_path).scans] == ["arterial", "portal venous"]


def test_a_scan_of_zeros_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_INFLATED", 2**16)
    shape = (40, 64, 64)
    geometry = replace(GEOMETRY, shape=shape)
    write_nifti(tmp_path / "zeros.nii.gz", values=np.zeros(shape, np.int16), geometry=geometry)
    with pytest.raises(SpecimenError, match="nearly empty"):
        find_scans(tmp_path / "zeros.nii.gz").scans[0].read()
