"""File kinds: by ending and first bytes, and which models take them."""

from pathlib import Path

import pytest

from hepatica.serve.file_kinds import kind_by_name, kind_of, readable, unsuitable


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.svs", b"II*\0", "slide"), ("a.csv", b"patient_id", "table"), ("a", bytes(128) + b"DICM", "dicom"),
        ("a.nii.gz", b"\x1f\x8b", "volume"), ("a", b"PK\3\4", "archive"), ("a.zip", b"", "archive"),
        ("a.7", b"", "spectrum"), ("a.exe", b"MZ", "unknown"), ("a", b"", "unknown"), ("a", b"\x08\0\x05\0", "dicom"),
    ],
)  # fmt: skip
def test_kinds(tmp_path: Path, name: str, head: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(head)
    assert kind_of(tmp_path / name) == kind


def test_a_model_takes_what_its_reader_can_read(tmp_path: Path) -> None:
    (tmp_path / "a.svs").write_bytes(b"II*\0")
    assert unsuitable([tmp_path / "a.svs"], modality="slide") == ""
    assert unsuitable([tmp_path / "a.svs"], modality="ct").startswith("got slide, wanted archive or dicom")
    assert readable("ct+table") == {"archive"}
    assert kind_by_name("x.tiff") == "slide"
