"""Sources: folders, archives and files alike; archives that would do harm are refused."""

import fcntl
import io
import tarfile
import tempfile
import zipfile

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom import archives, sources
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.sources import Identity, find_sources, patients
from hepatica.radiology.dicom.volume import read_volume


def pack(target, files):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def test_a_zip_archive_reads_like_its_folder(ct, tmp_path):
    files = {f"deep/{k}/{path.name}": path.read_bytes() for k, path in enumerate(ct.write())}
    (series,) = read_study(pack(tmp_path / "study.zip", files)).series
    assert np.array_equal(read_volume(series).values, ct.body())


def test_an_archive_is_known_by_its_first_bytes(ct, tmp_path):
    files = {path.name: path.read_bytes() for path in ct.write()}
    assert len(find_sources(pack(tmp_path / "archive", files))) == 6


def test_a_member_that_would_climb_out_is_read_and_nothing_is_written(ct, tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    archive = pack(inner / "study.zip", {f"../../{path.name}x": path.read_bytes() for path in ct.write()})
    before = sorted(tmp_path.rglob("*"))
    (series,) = read_study(archive).series
    assert np.array_equal(read_volume(series).values, ct.body())
    assert sorted(tmp_path.rglob("*")) == before


def test_an_archive_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_UNPACKED", 2**20)
    archive = pack(tmp_path / "bomb.zip", {"zeros": bytes(2**20 + 1)})
    assert archive.stat().st_size < 2**14
    with pytest.raises(SpecimenError, match="would unpack to"):
        find_sources(archive)


def test_a_damaged_archive_is_refused(ct, tmp_path):
    archive = pack(tmp_path / "study.zip", {path.name: path.read_bytes() for path in ct.write()})
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(SpecimenError, match="archive is damaged"):
        find_sources(archive)


def test_a_damaged_member_is_set_aside_and_the_rest_read(ct, tmp_path):
    archive = pack(tmp_path / "study.zip", {path.name: path.read_bytes() for path in ct.write()})
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as members:
        third = members.infolist()[2]
    start = third.header_offset + 30 + len(third.filename)
    content[start + 40 : start + 60] = bytes(20)
    archive.write_bytes(content)
    study = read_study(archive)
    assert "cannot be unpacked" in study.refused[0].reason
    assert study.series[0].geometry.shape == (6, 40, 48)


def test_a_locked_archive_is_refused(tmp_path):
    archive = pack(tmp_path / "study.zip", {"a": b"content"})
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(SpecimenError, match="password"):
        find_sources(archive)


def test_no_file_and_no_path(tmp_path):
    with pytest.raises(SpecimenError, match="no file at all"):
        find_sources(tmp_path)
    with pytest.raises(SpecimenError, match="there is no file or folder"):
        find_sources(tmp_path / "absent")


def test_a_file_given_twice_counts_once(ct):
    paths = ct.write()
    assert len(find_sources(ct.folder, *paths)) == 6


def test_a_damaged_archive_beside_a_study_is_told_and_the_study_read(ct, tmp_path):
    paths = ct.write()
    archive = pack(ct.folder / "viewer.zip", {"program": bytes(5000)})
    archive.write_bytes(archive.read_bytes()[:-10])
    study = read_study(ct.folder)
    assert len(study.series[0].headers) == len(paths)
    assert [each.reason for each in study.refused] == ["the zip archive is damaged or incomplete; send it again"]


def who(patient_id="7", issuer="", name="A^B", born="19500101", study="1.2"):
    return Identity(patient_id=patient_id, issuer=issuer, name=name, born=born, study=study)


def count(*found):
    return len(set(patients(set(found)).values()))


@pytest.mark.parametrize(
    ("other", "number"),
    [
        (who(name="B^A", born=""), 1),
        (who(issuer="X", study="1.3"), 1),
        (who(patient_id=""), 1),
        (who(patient_id="", study="1.3"), 2),  # a blank ID of another study: nothing says whose it is
        (who(patient_id="8"), 2),
        (who(patient_id="07"), 2),
    ],
)
def test_two_files_of_one_or_two_patients(other, number):
    assert count(who(), other) == number


def test_equal_ids_of_two_issuers_are_two_patients_and_without_issuer_a_third():
    assert count(who(issuer="X"), who(issuer="Y")) == 2
    assert count(who(issuer="X"), who(issuer="Y"), who()) == 3


def test_without_any_id_a_study_is_one_patient_and_studies_are_joined_by_name_and_birth():
    assert count(who(patient_id=""), who(patient_id="", name="", born="")) == 1
    assert count(who(patient_id=""), who(patient_id="", study="1.3")) == 1
    assert count(who(patient_id=""), who(patient_id="", study="1.3", born="19600101")) == 2
    assert count(who(patient_id="", study=""), who(patient_id="", study="", name="C")) == 2


def test_the_words_do_not_depend_on_the_order():
    found = [who(), who(patient_id=""), who(issuer="X"), who(patient_id="", name="C", study="1.4")]
    assert patients(found) == patients(found[::-1])


def test_tar_archives_and_archives_within_archives_read_like_their_folder(ct, tmp_path):
    files = {f"deep/{path.name}": path.read_bytes() for path in ct.write()}
    inner = pack(tmp_path / "inner.zip", files)
    nested = pack(tmp_path / "outer.zip", {"a/first.ZIP": inner.read_bytes(), "report.txt": b"text"})
    with tarfile.open(tmp_path / "study.tar.gz", "w:gz") as tar:
        for path in ct.folder.iterdir():
            tar.add(path, f"../{path.name}")
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    for archive in (nested, tmp_path / "study.tar.gz"):
        (series,) = read_study(archive).series
        assert np.array_equal(read_volume(series).values, ct.body())
        assert {each.archive for each in find_sources(archive)} == {archive}
        assert all(each.path.name.isdigit() for each in find_sources(archive))


def test_hostile_archives_take_neither_memory_nor_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_INFLATED", 2**20)
    zeros = bytes(2**21)
    many = pack(tmp_path / "many.zip", {f"{k}": bytes(2**19) for k in range(4)})  # each small, together not
    with tarfile.open(tmp_path / "bomb.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("zeros")
        member.size = len(zeros)
        tar.addfile(member, io.BytesIO(zeros))
    deep = pack(tmp_path / "0.zip", {"file": b"x"})
    for depth in range(1, 5):
        deep = pack(tmp_path / f"{depth}.zip", {"inner.zip": deep.read_bytes()})
    for archive, reason in ((many, "nearly empty"), (tmp_path / "bomb.tar.gz", "nearly empty"), (deep, "deep within")):
        with pytest.raises(SpecimenError, match=reason):
            find_sources(archive)


def test_what_killed_processes_unpacked_is_removed_and_others_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed, living = tmp_path / "hepatica-killed", tmp_path / "hepatica-living"
    for each in (killed, living):
        each.mkdir()
        each.with_suffix(".lock").touch()
    with living.with_suffix(".lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        home = archives._home.__wrapped__()
    assert not killed.exists()
    assert living.is_dir()
    assert home.with_suffix(".lock").exists()
    monkeypatch.setattr(archives, "_home", lambda: home)
    monkeypatch.setattr(archives, "MOST", 1)
    nested = [
        pack(tmp_path / f"{k}.zip", {"in.zip": pack(tmp_path / "in.zip", {"x": bytes([k])}).read_bytes()})
        for k in (1, 2)
    ]
    first, second = (find_sources(each)[0] for each in nested)
    assert not first.path.exists()  # it gave way to the second
    for source, content in ((first, b"\1"), (second, b"\2")):
        with source.open() as file:
            assert file.read() == content
