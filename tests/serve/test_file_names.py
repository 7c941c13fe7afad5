"""File names: nothing of a patient, nothing that leads elsewhere, and pairs remain pairs."""

from hypothesis import given
from hypothesis import strategies as st

from hepatica.serve.file_names import KNOWN, WORDS, safe_name


@given(st.text(max_size=300))
def test_any_name_becomes_a_plain_one(name: str) -> None:
    found = safe_name(name)
    assert found.replace("_", "").replace(".", "").isalnum()
    assert len(found) < 80
    assert safe_name(f"somewhere/x{name}") == safe_name(f"x{name}")


def test_pairs_phases_and_endings_are_kept() -> None:
    act, ref, spar = (safe_name(f"SMITH_J_{each}") for each in ("act.SDAT", "ref.SDAT", "act.SPAR"))
    assert (act.partition("_")[0], act.partition("_")[2]) == (ref.partition("_")[0], "act.sdat")
    assert spar.removesuffix(".spar") == act.removesuffix(".sdat")
    assert safe_name("Smith arterial.nii.gz").endswith("_arterial.nii.gz")
    assert safe_name("1.2.840.113619") == safe_name("1.2.840.113619").partition(".")[0]
    assert safe_name("a.svs") != safe_name("b.svs")
    assert "smith" not in safe_name("smith.svs") + safe_name("x.smith")
    assert "arterial" in WORDS
    assert ".nii.gz" in KNOWN
