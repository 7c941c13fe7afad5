"""Masks: paths of what was outlined in a specimen, checked as its own path is."""

import pytest

from hepatica.cohort import CohortError, load_cohort

HEADER = "patient_id,specimen_id,modality,path,liver_mask,nodule_mask\n"


def test_masks_lie_beside_a_study(tmp_path, write_cohort):
    rows = "P1,S1,ct,slides,slides/1.svs,\nP2,S2,ct,slides/2.svs,slides/1.svs,slides/3.svs\n"
    first, second = load_cohort(write_cohort(tmp_path, specimens=HEADER + rows)).specimens
    lying = tmp_path / "slides"
    assert (first.path, first.liver_mask, first.nodule_mask) == (lying, lying / "1.svs", None)
    assert (second.liver_mask, second.nodule_mask) == (first.liver_mask, lying / "3.svs")


def test_specimens_without_columns_of_masks_have_none(tmp_path, write_cohort):
    specimen = load_cohort(write_cohort(tmp_path)).specimens[0]
    assert (specimen.liver_mask, specimen.nodule_mask) == (None, None)


@pytest.mark.parametrize("column", ["liver_mask", "nodule_mask"])
@pytest.mark.parametrize(
    ("mask", "message"),
    [("../1.svs", "got '../1.svs', wanted a path inside the cohort folder"), ("9.svs", "no such file: ./9.svs")],
)
def test_a_mask_is_checked_as_a_path_is(tmp_path, write_cohort, column, mask, message):
    specimens = f"patient_id,specimen_id,modality,path,{column}\nP1,S1,ct,slides/1.svs,{mask}\n"
    with pytest.raises(CohortError) as caught:
        load_cohort(write_cohort(tmp_path, specimens=specimens))
    assert str(caught.value) == f"{tmp_path} has 1 fault: specimens.csv row 2 column {column}: {message}"
