"""Marks: a lesion's place by mask, by segment or by centre and diameter."""

import numpy as np
import pytest
from ct_balls import CYST, HCC, PLACE, balls

from hepatica.cohort import SpecimenError, load_cohort
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.lesions.marks import masks_of, read_marks


@pytest.fixture
def study(cohort_folder):
    """The first specimen and its rows of lesions.csv."""
    cohort = load_cohort(cohort_folder)
    return cohort.specimens[0], cohort.lesions[cohort.lesions["specimen_id"] == "S1"].copy()


def test_segments_of_the_specimens_mask_are_decoded_once(study, monkeypatch):
    specimen, rows = study
    opened = []
    from hepatica.radiology.lesions import marks

    monkeypatch.setattr(marks, "open_mask", lambda path, **o: opened.append(path) or open_mask(path, **o))
    open_mask = __import__("hepatica.radiology.liver.mask", fromlist=["open_mask"]).open_mask
    (first, second), _ = read_marks(specimen, rows, step=4.0)
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
    ((found,), _) = read_marks(specimen, rows, step=4.0)
    np.testing.assert_allclose(found.points.mean(axis=0), CYST[1], atol=1.0)
    assert found.diameter_mm == pytest.approx(10, rel=0.1)


def test_a_place_and_a_diameter_make_a_sphere(study):
    specimen, rows = study
    row = rows.iloc[:1].assign(segment=None, x_mm=3.0, y_mm=-4.0, z_mm=130.0, diameter_mm=12.0)
    ((found,), _) = read_marks(specimen, row, step=4.0)
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
        read_marks(specimen, rows.iloc[:1].assign(**change), step=4.0)


def test_a_specimen_without_lesions_is_an_error(study):
    specimen, rows = study
    with pytest.raises(SpecimenError, match=r"no lesion of this specimen is in lesions\.csv"):
        read_marks(specimen, rows.iloc[:0], step=4.0)


def test_a_smaller_lesion_that_is_not_marked_is_left_out_with_a_note(study):
    specimen, rows = study
    lost = rows.assign(segment=[1, 9])
    found, notes = read_marks(specimen, lost, step=4.0)
    assert [each.lesion_id for each in found] == ["1"]
    assert notes[0].startswith("left out: the mask of lesion 2 marks nothing")
    with pytest.raises(SpecimenError, match="the mask of lesion 1 marks nothing"):
        read_marks(specimen, rows.assign(segment=[9, 2]), step=4.0)
