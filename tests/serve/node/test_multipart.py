"""Multipart: pieces come out whole however they were cut, and a hostile message is refused within its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort import SpecimenError
from hepatica.serve.node.multipart import Parts, message

TYPE = 'multipart/related; type="application/dicom"; boundary=abc'


@given(
    pieces=st.lists(st.binary(max_size=80).filter(lambda each: b"--abc" not in each), min_size=1, max_size=5),
    cut=st.integers(1, 50),
)
def test_pieces_come_back_however_they_are_cut(pieces: list[bytes], cut: int) -> None:
    parts, whole = Parts(TYPE, largest=80), message(pieces, boundary="abc")
    found = [each for begin in range(0, len(whole), cut) for each in parts.feed(whole[begin : begin + cut])]
    parts.end()
    assert found == pieces


def test_a_message_that_ends_early_is_not_whole() -> None:
    parts, whole = Parts(TYPE, largest=80), message([b"one", b"two"], boundary="abc")
    assert parts.feed(whole[:-20]) == [b"one"]
    with pytest.raises(SpecimenError, match="ends before its last boundary"):
        parts.end()


@pytest.mark.parametrize(
    "kind",
    [
        "application/dicom", "multipart/related", "multipart/form-data; boundary=abc", "",
        'multipart/related; type="application/dicom+json"; boundary=abc', f"multipart/related; boundary={'x' * 500}",
    ],
)  # fmt: skip
def test_another_type_of_content_is_refused(kind: str) -> None:
    with pytest.raises(SpecimenError):
        Parts(kind, largest=80)


@pytest.mark.parametrize(
    "hostile",
    [
        message([bytes(81)], boundary="abc"),
        b"--abc\r\n" + b"A: b\r\n" * 99 + b"\r\nx",
        b"--abc\r\nA: " + b"b" * 9999,
        b"--xyz\r\n\r\nx",
        b"no boundary at all",
    ],
)
def test_a_message_beyond_a_bound_is_refused(hostile: bytes) -> None:
    with pytest.raises(SpecimenError):
        Parts(TYPE, largest=80).feed(hostile)
