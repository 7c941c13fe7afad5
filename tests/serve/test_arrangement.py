"""Arrangement: tables, spectra with water and archives become what `predict` reads."""

import zipfile
from pathlib import Path

import pytest

from hepatica.cohort import CohortError, load_cohort
from hepatica.serve import arrangement
from hepatica.serve.arrangement import arranged


@pytest.fixture
def modality(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modality of every run, to be changed."""
    found = ["table"]
    monkeypatch.setattr(arrangement, "modality_of", lambda run: found[0])
    return found


def inputs(folder: Path, **files: bytes) -> Path:
    (folder / "inputs").mkdir()
    for name, content in files.items():
        (folder / "inputs" / name).write_bytes(content)
    return folder / "inputs"


def test_a_table_becomes_a_cohort(tmp_path: Path, modality: list[str]) -> None:
    own = inputs(tmp_path, **{"a.csv": b"patient_id,age_years\nA,50\n"})
    (found,) = arranged(own, run=tmp_path, into=tmp_path / "arranged")
    assert list(load_cohort(found).patients.index) == ["A"]


def test_spectra_find_their_water(tmp_path: Path, modality: list[str]) -> None:
    modality[0] = "spectrum"
    names = ["1_act.sdat", "1_act.spar", "1_ref.sdat", "1_ref.spar", "2_act.sdat", "2_act.spar"]
    own = inputs(tmp_path, **dict.fromkeys(names, b"x"))
    (found,) = arranged(own, run=tmp_path, into=tmp_path / "arranged")
    first, second = load_cohort(found).specimens
    assert (first.path.name, first.attachments["water"].name) == ("1_act.sdat", "1_ref.sdat")
    assert second.attachments == {}


def test_archives(tmp_path: Path, modality: list[str]) -> None:
    own = inputs(tmp_path)
    with zipfile.ZipFile(own / "a.zip", "w") as opened:
        opened.writestr("x/1.dcm", b"x")
    modality[0] = "ct"
    assert arranged(own, run=tmp_path, into=tmp_path / "arranged") == [own / "a.zip"]
    modality[0] = "slide"
    assert arranged(own, run=tmp_path, into=tmp_path / "arranged") == [tmp_path / "arranged"]
    assert (tmp_path / "arranged" / "x" / "1.dcm").is_file()
    with zipfile.ZipFile(own / "a.zip", "w") as opened:
        opened.writestr("x/cohort.toml", 'name = "x"')
    modality[0] = "ct"
    assert arranged(own, run=tmp_path, into=tmp_path / "arranged") == [tmp_path / "arranged" / "x"]
    assert not (tmp_path / "arranged" / "x" / "1.dcm").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_cohort_that_was_sent_in_makes_no_request(tmp_path: Path, modality: list[str], encoding: str) -> None:
    modality[0] = "slide"
    own = inputs(tmp_path)
    with zipfile.ZipFile(own / "a.zip", "w") as opened:
        opened.writestr("x/cohort.toml", 'name = "x"')
        opened.writestr("x/specimens.csv", "patient_id,path\nA,http://127.0.0.1/a.svs\n".encode(encoding))
    with pytest.raises(CohortError, match="has a URL; send the files themselves"):
        arranged(own, run=tmp_path, into=tmp_path / "arranged")


def test_other_files_stay_as_they_are(tmp_path: Path, modality: list[str]) -> None:
    modality[0] = "slide"
    own = inputs(tmp_path, **{"a.svs": b"x"})
    assert arranged(own, run=tmp_path, into=tmp_path / "arranged") == [own / "a.svs"]
    (own / "b.svs").write_bytes(b"y")
    assert arranged(own, run=tmp_path, into=tmp_path / "arranged") == [own]
