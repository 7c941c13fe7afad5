"""Archive: bombs, ways out and damage end in one sentence, and leave nothing."""

import zipfile
from pathlib import Path

import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.serve import archive
from hepatica.serve.archive import has_cohort, unpack


def packed(path: Path, files: dict[str, bytes], *, how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return path


def test_files_go_where_their_names_say(tmp_path: Path) -> None:
    files = {"case/cohort.toml": b"x", "case/s/1.svs": b"y", ".DS_Store": b"z", "__MACOSX/a": b"z"}
    path = packed(tmp_path / "a.zip", files)
    assert has_cohort(path)
    unpack(path, tmp_path / "out")
    found = {str(each.relative_to(tmp_path / "out")) for each in (tmp_path / "out").rglob("*") if each.is_file()}
    assert found == {"case/cohort.toml", "case/s/1.svs"}


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/../../b", "..\\b"])
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / "a.zip", {"first": b"x", name: b"y"})
    with pytest.raises(SpecimenError, match="leads out"):
        unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.zip"]


def test_a_link_is_left_out(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr(link, "/etc/passwd")
        opened.writestr("file", "x")
    unpack(tmp_path / "a.zip", tmp_path / "out")
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["file"]


def test_a_bomb_is_refused_before_it_is_large(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"zeros.csv": bytes(50 * 2**20)})
    assert path.stat().st_size < 100_000
    with pytest.raises(SpecimenError, match="nearly empty and huge"):
        unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_sum_and_the_number_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "a.zip", {"a": b"12345", "b": b"12345"}, how=zipfile.ZIP_STORED)
    monkeypatch.setattr(archive, "MAX_BYTES", 9)
    with pytest.raises(SpecimenError, match="would unpack to more"):
        unpack(path, tmp_path / "out")
    monkeypatch.setattr(archive, "MAX_FILES", 1)
    with pytest.raises(SpecimenError, match="2 files, wanted 1"):
        unpack(path, tmp_path / "out")


def test_damage_is_one_sentence(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a": bytes(range(256)) * 4})
    content = bytearray(path.read_bytes())
    content[100] ^= 255
    path.write_bytes(content)
    with pytest.raises(SpecimenError, match="damaged"):
        unpack(path, tmp_path / "out")
    path.write_bytes(b"PK\3\4")
    with pytest.raises(SpecimenError, match="damaged"):
        has_cohort(path)
