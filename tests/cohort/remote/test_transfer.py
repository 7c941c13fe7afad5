"""Transfer: files of stores brought whole, checked, and resumed."""

import hashlib
from pathlib import Path

import fsspec
import pytest

from hepatica.cohort import SpecimenError, UnavailableError
from hepatica.cohort.remote import bring, place_of

BODY = bytes(range(256)) * 400
MD5 = hashlib.md5(BODY).hexdigest()


def at(server, tmp_path) -> Path:
    return place_of(f"{server.url}/a.nii.gz", tmp_path)


def brought(server, tmp_path, *, md5: str = MD5) -> Path:
    to = at(server, tmp_path)
    bring(f"{server.url}/a.nii.gz", to, md5=md5)
    return to


def ranges(server) -> list[str]:
    return [asked for _, asked in server.asked]


def test_a_file_comes_block_by_block_and_once(server, tmp_path):
    to = brought(server, tmp_path)
    assert to.read_bytes() == BODY
    assert to.name == "a.nii.gz"
    assert ranges(server) == ["bytes=0-39999", "bytes=40000-79999", "bytes=80000-102399"]
    brought(server, tmp_path)
    assert len(server.asked) == 3


def test_what_has_come_is_kept_when_the_connection_breaks(server, tmp_path, waited):
    server.faults = [None, 1000, 503]
    to = brought(server, tmp_path)
    assert to.read_bytes() == BODY
    assert ranges(server)[1:] == [*["bytes=40000-79999"] * 3, "bytes=80000-102399"]
    assert waited == [1, 2]


def test_faults_are_counted_anew_after_each_block(server, tmp_path, waited):
    server.faults = [*[503] * 3, None, *[503] * 3, None, *[503] * 3]
    assert brought(server, tmp_path).read_bytes() == BODY
    assert waited == [1, 2, 4, 1, 2, 4, 1, 2, 4]


def test_stopped_in_the_middle_the_next_call_goes_on(server, tmp_path):
    server.faults = [None, *[503] * 4]
    with pytest.raises(UnavailableError, match="what was brought is kept"):
        brought(server, tmp_path)
    assert not at(server, tmp_path).exists()
    server.asked.clear()
    assert brought(server, tmp_path).read_bytes() == BODY
    assert ranges(server) == ["bytes=40000-79999", "bytes=80000-102399"]


def test_a_file_that_was_replaced_meanwhile_is_begun_anew(server, tmp_path):
    server.faults = [None, *[503] * 4]
    with pytest.raises(UnavailableError):
        brought(server, tmp_path)
    server.files["/a.nii.gz"] = BODY[::-1]
    to = brought(server, tmp_path, md5="")
    assert to.read_bytes() == BODY[::-1]
    assert sorted(each.name for each in to.parent.iterdir()) == [".lock", ".version", "a.nii.gz"]


def test_a_server_without_ranges_is_read_from_the_beginning(server, tmp_path):
    server.ranges = False
    assert brought(server, tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("wrong", ["0" * 32, hashlib.md5(b"").hexdigest()])
def test_other_bytes_than_announced_are_removed(server, tmp_path, wrong):
    with pytest.raises(SpecimenError, match=f"got 102400 bytes of md5 {MD5}, wanted 102400 of {wrong}"):
        brought(server, tmp_path, md5=wrong)
    assert [each.name for each in at(server, tmp_path).parent.iterdir()] == [".lock"]


@pytest.mark.parametrize(("status", "said"), [(403, "denies access"), (404, "no such file")])
def test_what_the_store_refuses_is_not_asked_for_again(server, tmp_path, status, said):
    server.faults = [status]
    with pytest.raises(SpecimenError, match=said) as error:
        brought(server, tmp_path)
    assert len(server.asked) == 1
    assert server.url not in str(error.value)


def test_a_file_that_is_not_there_is_not_taken_for_a_broken_network(server, tmp_path):
    with pytest.raises(SpecimenError, match="no such file"):
        bring(f"{server.url}/other.svs", tmp_path / "x" / "other.svs")
    with pytest.raises(UnavailableError, match="cannot be read"):
        bring("http://127.0.0.1:9/other.svs", tmp_path / "x" / "other.svs")


def test_a_store_that_fsspec_knows_needs_nothing_else(tmp_path):
    with fsspec.open("memory://bucket/b#1.svs", "wb") as file:
        file.write(BODY)
    to = place_of("memory://bucket/b#1.svs", tmp_path)
    bring("memory://bucket/b#1.svs", to, md5=MD5)
    assert (to.name, to.read_bytes()) == ("b_1.svs", BODY)
    with pytest.raises(SpecimenError, match="folder of a store"):
        bring("memory://bucket", to)


def test_a_package_that_is_missing_is_named(tmp_path):
    pytest.importorskip("fsspec")
    try:
        import s3fs  # noqa: F401
    except ImportError:
        with pytest.raises(UnavailableError, match="s3fs"):
            bring("s3://bucket/key.svs", tmp_path / "x" / "key.svs")
