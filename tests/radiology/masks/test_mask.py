"""Mask: the same voxels of the patient, whatever file and grid they come in."""

from dataclasses import replace
from zipfile import ZipFile

import highdicom as hd
import nibabel
import numpy as np
import pydicom
import pytest
from einops import rearrange
from highdicom.sr.coding import CodedConcept
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.sr.codedict import codes

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import read_volume
from hepatica.radiology.masks.mask import outlined, read_mask

PLACE = Geometry(shape=(6, 40, 48), spacing=(5.0, 0.8, 0.7), origin=(-10.0, -12.0, 0.0))
OLD_LIVER = CodedConcept(value="T-62000", scheme_designator="SRT", meaning="Liver")


def marks(*boxes):
    """(z y x) uint8 on PLACE: the k-th box (a slice an axis) has label k."""
    labels = np.zeros(PLACE.shape, np.uint8)
    for label, box in enumerate(boxes, start=1):
        labels[box] = label
    return labels


BIG = np.s_[1:5, 5:30, 5:30]
SMALL = np.s_[2:4, 10:14, 12:20]


def nifti(path, labels, geometry=PLACE):
    write_nifti(path, values=labels, geometry=geometry)
    return path


def segment(number, *, label, kind):
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=kind,
        algorithm_type="MANUAL",
    )


def seg(ct, path, labels, segments, *, kind="BINARY", **options):
    """A DICOM SEG of these labels on a series that `ct` writes."""
    blank = dict.fromkeys(
        ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"), ""
    )
    ct.write(ReferringPhysicianName="", PositionReferenceIndicator="", **blank)
    sources = sorted((pydicom.dcmread(each) for each in ct.folder.iterdir()), key=lambda d: d.ImagePositionPatient[2])
    made = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=labels,
        segmentation_type=kind,
        segment_descriptions=segments,
        series_instance_uid="1.2.3.7",
        series_number=7,
        sop_instance_uid="1.2.3.8",
        instance_number=1,
        manufacturer="m",
        manufacturer_model_name="m",
        software_versions="1",
        device_serial_number="1",
        **options,
    )
    made.save_as(path)
    return path


def test_nifti_on_the_grid_of_the_volume(tmp_path):
    labels = marks(BIG, SMALL)
    path = nifti(tmp_path / "m.nii.gz", labels)
    assert np.array_equal(read_mask(path, geometry=PLACE), labels > 0)
    assert np.array_equal(read_mask(path, geometry=PLACE, only=[2]), labels == 2)
    assert read_mask(path, geometry=PLACE).dtype == bool


@settings(deadline=None, max_examples=20)
@given(factor=st.integers(1, 3), shift=st.integers(-3, 3))
def test_another_spacing_and_extent_mark_the_same_place(factor, shift, tmp_path_factory):
    """Each voxel of a coarse mask is factor^3 voxels of the fine volume, whose slices begin elsewhere."""
    path = nifti(tmp_path_factory.mktemp("mask") / "m.nii", marks(BIG))
    spacing = tuple(side / factor for side in PLACE.spacing)
    edge = [o - s / 2 + f / 2 for o, s, f in zip(PLACE.origin, PLACE.spacing[::-1], spacing[::-1], strict=True)]
    fine = Geometry(
        shape=tuple(factor * side for side in PLACE.shape),
        spacing=spacing,
        origin=(edge[0], edge[1], edge[2] + shift * spacing[0]),
    )
    wanted = np.kron(marks(BIG) > 0, np.ones((factor, factor, factor), bool))
    wanted = np.pad(wanted, ((9, 9), (0, 0), (0, 0)))[9 + shift : 9 + shift + len(wanted)]
    assert np.array_equal(read_mask(path, geometry=fine), wanted)


def test_a_mask_of_one_slice_marks_the_slices_nearest_to_it(tmp_path):
    one = replace(PLACE, shape=(1, 40, 48), origin=(-10.0, -12.0, 10.0))
    path = nifti(tmp_path / "m.nii", np.ones(one.shape, np.uint8), one)
    assert read_mask(path, geometry=PLACE).any(axis=(1, 2)).tolist() == [False, False, True, False, False, False]


def test_an_empty_mask_is_a_mask(tmp_path):
    assert not read_mask(nifti(tmp_path / "m.nii", marks()), geometry=PLACE).any()


@pytest.mark.parametrize(
    ("boxes", "liver"),
    [
        ([BIG], [1]),
        ([BIG, SMALL], [1, 2]),  # LiTS: liver and its tumours
        ([SMALL, np.s_[0:1], np.s_[0:1, :2], np.s_[0:1, :1], BIG], [5]),  # TotalSegmentator
    ],
)
def test_which_labels_are_the_liver_without_a_table(tmp_path, boxes, liver):
    labels = marks(*boxes)
    found = read_mask(nifti(tmp_path / "m.nii", labels), geometry=PLACE, only="liver")
    assert np.array_equal(found, np.isin(labels, liver))


def test_labels_none_of_which_is_known_are_refused(tmp_path):
    path = nifti(tmp_path / "m.nii", marks(np.s_[0:1], BIG))
    with pytest.raises(SpecimenError, match="2 labels, none known to be the liver"):
        read_mask(path, geometry=PLACE, only="liver")


def test_the_table_of_a_file_names_the_liver(tmp_path):
    image = nibabel.Nifti1Image(rearrange(marks(BIG, SMALL), "z y x -> x y z"), PLACE.affine)
    table = '<Label Key="1" Red="0"><![CDATA[spleen]]></Label><Label Key="2" Red="0"><![CDATA[liver]]></Label>'
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, table.encode()))
    nibabel.save(image, tmp_path / "m.nii.gz")
    found = read_mask(tmp_path / "m.nii.gz", geometry=PLACE, only="liver")
    assert np.array_equal(found, marks(BIG, SMALL) == 2)


def test_a_folder_of_totalsegmentator_has_the_liver_in_a_file_of_its_own(tmp_path):
    nifti(tmp_path / "spleen.nii.gz", marks(BIG))
    nifti(tmp_path / "liver.nii.gz", marks(SMALL))
    assert read_mask(tmp_path, geometry=PLACE, only="liver").sum() == 2 * 4 * 8
    with pytest.raises(SpecimenError, match="got 2 masks"):
        read_mask(tmp_path, geometry=PLACE)


def test_the_segments_of_a_liver_together_are_the_liver_and_lesions_have_their_own_file(tmp_path):
    parts = [np.s_[1:5, 5:30, 3 * k : 3 * k + 3] for k in range(1, 9)]
    for number, part in enumerate(parts, start=1):
        nifti(tmp_path / f"liver_segment_{number}.nii.gz", marks(part))
    nifti(tmp_path / "liver_lesions.nii.gz", marks(SMALL))
    whole = marks(np.s_[1:5, 5:30, 3:27]) > 0
    assert np.array_equal(read_mask(tmp_path, geometry=PLACE, only="liver"), whole)
    assert np.array_equal(read_mask(tmp_path, geometry=PLACE), marks(SMALL) > 0)


@pytest.mark.parametrize(
    ("label", "kind"), [("organ", codes.SCT.Liver), ("organ", OLD_LIVER), ("Liver", codes.SCT.Organ)]
)
def test_the_liver_of_a_dicom_seg_by_code_or_name(ct, tmp_path, label, kind):
    labels = marks(BIG, SMALL)
    segments = [segment(1, label=label, kind=kind), segment(2, label="Liver tumour", kind=codes.SCT.Neoplasm)]
    path = seg(ct, tmp_path / "seg.dcm", labels, segments)
    assert np.array_equal(read_mask(path, geometry=PLACE, only="liver"), labels == 1)
    assert np.array_equal(read_mask(path, geometry=PLACE), labels > 0)
    assert np.array_equal(read_mask(path, geometry=PLACE, only=[2]), labels == 2)


def test_segments_may_overlap_and_be_fractions(ct, tmp_path):
    shares = np.zeros((*PLACE.shape, 2), np.float32)
    shares[BIG][..., 0], shares[SMALL][..., 1] = 0.4, 0.8
    segments = [segment(k, label="part", kind=codes.SCT.Mass) for k in (1, 2)]
    path = seg(ct, tmp_path / "seg.dcm", shares, segments, kind="FRACTIONAL", fractional_type="PROBABILITY")
    assert np.array_equal(read_mask(path, geometry=PLACE), marks(SMALL) > 0)


def test_a_seg_among_the_slices_of_its_series_and_in_an_archive(ct, tmp_path):
    path = seg(ct, tmp_path / "seg.dcm", marks(BIG), [segment(1, label="liver", kind=codes.SCT.Liver)])
    with ZipFile(tmp_path / "study.zip", "w") as archive:
        archive.write(path, "any/name")
    path.rename(ct.folder / "0")
    for place in (ct.folder, tmp_path / "study.zip"):
        assert np.array_equal(read_mask(place, geometry=PLACE, only="liver"), marks(BIG) > 0)


def test_a_seg_without_the_organ_says_so(ct, tmp_path):
    path = seg(ct, tmp_path / "seg.dcm", marks(BIG), [segment(1, label="spleen", kind=codes.SCT.Spleen)])
    with pytest.raises(SpecimenError, match="no segment liver"):
        read_mask(path, geometry=PLACE, only="liver")


def test_a_mask_beside_the_volume_is_refused(tmp_path):
    path = nifti(tmp_path / "m.nii", marks(BIG))
    with pytest.raises(SpecimenError, match="entirely outside the volume"):
        read_mask(path, geometry=replace(PLACE, origin=(-10.0, -12.0, 31.0)))


def test_what_is_no_mask_is_refused(ct, tmp_path):
    ct.write()
    with pytest.raises(SpecimenError, match="got 0 masks"):
        read_mask(ct.folder, geometry=PLACE)
    with pytest.raises(SpecimenError, match="no file or folder"):
        read_mask(tmp_path / "absent.nii", geometry=PLACE)
    (tmp_path / "m.nii.gz").write_bytes(b"no image")
    with pytest.raises(SpecimenError, match="NIfTI file cannot be read"):
        read_mask(tmp_path / "m.nii.gz", geometry=PLACE)


def test_a_damaged_seg_is_refused(ct, tmp_path):
    path = seg(ct, tmp_path / "seg.dcm", marks(BIG), [segment(1, label="liver", kind=codes.SCT.Liver)])
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(SpecimenError, match="DICOM SEG cannot be read"):
        read_mask(path, geometry=PLACE)


def test_real_labels_lie_on_the_real_series(real):
    (series,) = read_study(real / "totalsegmentator/dicom").series
    volume = read_volume(series)
    path = real / "totalsegmentator/example_seg_dicom.nii.gz"
    liver = read_mask(path, geometry=volume.geometry, only="liver")
    assert liver.sum() == 366_708  # as many as the file has of label 5
    assert np.array_equal(liver, read_mask(path, geometry=volume.geometry, only=[5]))
    assert volume.values[liver].mean() == pytest.approx(89, abs=1)
    assert volume.values[liver].std() == pytest.approx(22, abs=1)  # 96 and more when flipped along any axis


def test_real_seg_lies_on_the_slices_it_was_drawn_on(real):
    (series,) = read_study(real / "dcmqi").series
    volume = read_volume(series)
    liver = read_mask(real / "dcmqi/liver.dcm", geometry=volume.geometry, only="liver")
    assert liver.sum() == 107_098
    assert np.median(volume.values[liver]) == 45
    with pytest.raises(SpecimenError, match="entirely outside"):
        read_mask(real / "dcmqi/seg.dcm", geometry=volume.geometry)


BLOCK = np.zeros(PLACE.shape, np.uint8)
BLOCK[1:5, 5:25, 5:25] = 1
BLOCK[2:3, 8:12, 8:12] = 2
BLOCK[4:5, 8:12, 8:12] = 3


@pytest.mark.parametrize(
    ("labels", "expected", "name"),
    [
        (BLOCK, np.minimum(BLOCK, 2), "lits.nii.gz"),
        (np.minimum(BLOCK, 1), BLOCK > 0, "0001.nii.gz"),
        ((BLOCK > 1).astype(np.uint8), 2 * (BLOCK > 1), "livertumor.nii.gz"),
        (5 * np.minimum(BLOCK, 1), BLOCK > 0, "liver.nii.gz"),
        (np.zeros_like(BLOCK), np.zeros_like(BLOCK), "empty.nii.gz"),
    ],
)
def test_liver_and_lesions_of_label_maps_whatever_they_number_and_call_them(labels, expected, name, tmp_path) -> None:
    write_nifti(tmp_path / name, values=labels, geometry=PLACE)
    np.testing.assert_array_equal(outlined(tmp_path / name, geometry=PLACE), expected)
