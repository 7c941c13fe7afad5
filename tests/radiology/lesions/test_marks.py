"""Marks: a lesion's place by mask, by segment or by centre and diameter."""

from dataclasses import replace

import numpy as np
import pytest
from ct_balls import CYST, HCC, PLACE, balls

from hepatica.cohort import SpecimenError, load_cohort
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.lesions import marks
from hepatica.radiology.lesions.marks import find_marks, masks_of, read_marks
from hepatica.radiology.masks.mask import open_mask


@pytest.fixture
def study(cohort_folder):
    """The first specimen and its rows of lesions.csv."""
    cohort = load_cohort(cohort_folder)
    return cohort.specimens[0], cohort.lesions[cohort.lesions["specimen_id"] == "S1"].copy()


def test_segments_of_the_specimens_mask_are_decoded_once(study, monkeypatch):
    specimen, rows = study
    opened = []

    def counted(path, **options):
        opened.append(path)
        return open_mask(path, **options)

    monkeypatch.setattr(marks, "open_mask", counted)
    (first, second), _ = read_marks(specimen, rows, geometry=PLACE)
    assert len(opened) == 1
    np.testing.assert_allclose(first.points.mean(axis=0), HCC[1], atol=1.0)
    np.testing.assert_allclose(second.points.mean(axis=0), CYST[1], atol=1.0)
    assert first.volume_ml == pytest.approx(np.pi / 6 * 20**3 / 1000, rel=0.1)
    assert masks_of(specimen, rows) == [specimen.attachments["mask"]]


def test_an_own_mask_comes_before_the_specimens(study, tmp_path):
    specimen, rows = study
    _, labels = balls(lesions=[CYST])
    write_nifti(tmp_path / "own.nii.gz", values=labels, geometry=PLACE)
    rows = rows.iloc[:1].assign(segment=None, diameter_mm=np.nan)
    rows["mask"] = [tmp_path / "own.nii.gz"]
    ((found,), _) = read_marks(specimen, rows, geometry=PLACE)
    np.testing.assert_allclose(found.points.mean(axis=0), CYST[1], atol=1.0)
    assert found.diameter_mm == pytest.approx(10, rel=0.1)


def test_a_place_and_a_diameter_make_a_sphere(study):
    specimen, rows = study
    row = rows.iloc[:1].assign(segment=None, x_mm=3.0, y_mm=-4.0, z_mm=130.0, diameter_mm=12.0)
    ((found,), _) = read_marks(specimen, row, geometry=PLACE)
    np.testing.assert_allclose(found.points.mean(axis=0), (3, -4, 130), atol=1e-6)
    assert found.volume_ml == pytest.approx(np.pi / 6 * 12**3 / 1000, rel=0.02)
    assert not found.outlined


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segment": None}, "lesion 1 has no mask, no segment"),
        ({"segment": 9}, "the mask of lesion 1 marks nothing"),
    ],
)
def test_a_lesion_without_place_is_an_error_that_says_what_to_do(study, change, message):
    specimen, rows = study
    with pytest.raises(SpecimenError, match=message):
        read_marks(specimen, rows.iloc[:1].assign(**change), geometry=PLACE)


@pytest.mark.parametrize("labels", [[1, 1], [2, 3], [1, 2]], ids=["one label", "two labels", "labels 1 and 2"])
def test_without_rows_lesions_are_the_parts_or_labels_of_the_mask(study, labels, tmp_path):
    specimen, rows = study
    _, marked = balls(lesions=[HCC, CYST])
    marked = np.choose(marked, [0, *labels]).astype(np.uint8)
    if labels == [2, 3]:
        marked[np.s_[4:15, 4:44, 6:50]] = np.maximum(marked[np.s_[4:15, 4:44, 6:50]], 1)  # the liver around them
    else:
        marked[0, 0, 0] = labels[0]  # a speck
    write_nifti(tmp_path / "liver_lesions.nii.gz", values=marked, geometry=PLACE)
    specimen = replace(specimen, attachments={"mask": tmp_path})
    found, notes = find_marks(specimen, geometry=PLACE)
    assert len(found) == 2
    assert found[-1].diameter_mm == pytest.approx(10, rel=0.12)
    assert "no rows in lesions.csv" in notes[0]
    assert masks_of(specimen, rows.iloc[:0]) == [tmp_path]


def test_without_rows_and_masks_there_is_an_error(study, tmp_path):
    specimen, rows = study
    with pytest.raises(SpecimenError, match=r"no lesion of this specimen is in lesions\.csv, and no mask lies with it"):
        find_marks(replace(specimen, attachments={}), geometry=PLACE)
    with pytest.raises(SpecimenError, match="add a row for each with its mask or place"):
        read_marks(specimen, rows.iloc[:0], geometry=PLACE)
    write_nifti(tmp_path / "liver.nii.gz", values=balls(lesions=[HCC])[1], geometry=PLACE)
    with pytest.raises(SpecimenError, match="marks no lesion"):
        find_marks(replace(specimen, attachments={"mask": tmp_path}), geometry=PLACE)


def test_a_smaller_lesion_that_is_not_marked_is_left_out_with_a_note(study):
    specimen, rows = study
    lost = rows.assign(segment=[1, 9])
    found, notes = read_marks(specimen, lost, geometry=PLACE)
    assert [each.lesion_id for each in found] == ["1"]
    assert notes[0].startswith("left out: the mask of lesion 2 marks nothing")
    with pytest.raises(SpecimenError, match="the mask of lesion 1 marks nothing"):
        read_marks(specimen, rows.assign(segment=[9, 2]), geometry=PLACE)
