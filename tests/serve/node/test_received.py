"""Received: whose object it is, read from strangers' bytes without belief in any of them."""

from hashlib import sha256

import pytest
from dicom_images import ct_image
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from hepatica.cohort import SpecimenError
from hepatica.radiology.phantom.dicom import encoded
from hepatica.serve.node.received import is_uid, name_of, name_of_uid, of_dataset, of_file

FILE = encoded(ct_image(1))


def test_a_file_goes_in_and_comes_out() -> None:
    found = of_file(FILE, caller="PACS")
    assert (found.study, found.instance, found.is_image) == ("1.2.3", "1.2.3.4.1", True)
    assert of_file(found.file(), caller="PACS") == found


def test_nothing_of_a_patient_is_in_its_representation() -> None:
    assert "1.2.3" not in repr(of_file(FILE)).replace(ExplicitVRLittleEndian, "").replace(
        of_file(FILE).sop_class, ""
    )  # fmt: skip


@given(st.binary(max_size=300))
def test_any_bytes_are_an_object_or_a_refusal(noise: bytes) -> None:
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        with pytest.raises(SpecimenError):
            of_dataset(noise, syntax=syntax, caller="")
    with pytest.raises(SpecimenError):
        of_file(FILE[:132] + noise)


@given(place=st.integers(0, len(FILE) - 1), value=st.integers(0, 255))
def test_a_byte_changed_is_an_object_or_a_refusal(place: int, value: int) -> None:
    try:
        found = of_file(FILE[:place] + bytes([value]) + FILE[place + 1 :])
    except SpecimenError:
        return
    assert is_uid(found.study)
    assert is_uid(found.instance)


def test_what_is_deflated_is_not_taken() -> None:
    with pytest.raises(SpecimenError, match="Deflated"):
        of_dataset(b"", syntax=DeflatedExplicitVRLittleEndian, caller="")


@pytest.mark.parametrize("text", ["", "../x", "1.2/3", "1.2.3\n", "1" * 65, "1.2.x", ".1", "1.2 "])
def test_what_is_no_uid(text: str) -> None:
    assert not is_uid(text)


def test_names_are_digests() -> None:
    assert name_of("1.2.3") == sha256(b"1.2.3").hexdigest()[:32]
    assert name_of_uid("<script>").isprintable()
    assert "script" not in name_of_uid("<script>")
