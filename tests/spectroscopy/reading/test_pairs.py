"""Pairs: each spectrum of a folder finds its own water reference, and what is unclear is an error."""

import pytest

from hepatica.cohort.errors import CohortError
from hepatica.spectroscopy.reading.pairs import pairs_of


def folder(path, *names):
    for name in names:
        (path / name).touch()
    return {spectrum.name: water and water.name for spectrum, water in pairs_of(path).items()}


def test_names_of_the_field_are_paired(tmp_path):
    names = ["p1_act.SDAT", "p1_act.SPAR", "p1_ref.SDAT", "p1_ref.SPAR", "b.nii.gz", "b_w.nii.gz", "c.RAW", "c.H2O"]
    assert folder(tmp_path, *names, "alone.rda", "notes.txt") == {
        "alone.rda": None, "b.nii.gz": "b_w.nii.gz", "c.RAW": "c.H2O", "p1_act.SDAT": "p1_ref.SDAT",
    }  # fmt: skip


def test_a_word_within_another_is_none_for_water(tmp_path):
    assert folder(tmp_path, "waterloo.rda", "preferred.rda") == {"preferred.rda": None, "waterloo.rda": None}


@pytest.mark.parametrize("names", [["a_ref.rda"], ["a.rda", "a_ref.rda", "a_w.rda"], ["a.rda", "a_act.rda", "a_w.rda"]])
def test_what_is_unclear_is_refused(tmp_path, names):
    with pytest.raises(CohortError, match=r"wanted names such as a_act\.SDAT"):
        folder(tmp_path, *names)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(CohortError, match="got no spectrum"):
        folder(tmp_path, "notes.txt")
