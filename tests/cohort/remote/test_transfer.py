"""Transfer: files of stores brought whole, checked, and resumed."""

import hashlib
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import fsspec
import pytest

from hepatica.cohort import SpecimenError, UnavailableError
from hepatica.cohort.remote import bring, place_of
from hepatica.cohort.remote.transfer import SCHEMES, bring_described, described, store

BODY = bytes(range(256)) * 400
MD5 = hashlib.md5(BODY).hexdigest()


def at(server, tmp_path) -> Path:
    return place_of(f"{server.url}/a.nii.gz", tmp_path)


def brought(server, tmp_path, *, md5: str = MD5, room: int = 0) -> Path:
    to = at(server, tmp_path)
    bring(f"{server.url}/a.nii.gz", to, md5=md5, room=room)
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
    assert sorted(each.name for each in to.parent.iterdir()) == [".version", "a.nii.gz"]


def test_a_server_without_ranges_is_read_from_the_beginning(server, tmp_path):
    server.ranges = False
    assert brought(server, tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("wrong", ["0" * 32, hashlib.md5(b"").hexdigest()])
def test_other_bytes_than_announced_are_removed(server, tmp_path, wrong):
    with pytest.raises(SpecimenError, match=f"got 102400 bytes of md5 {MD5}, wanted 102400 of {wrong}"):
        brought(server, tmp_path, md5=wrong)
    assert not [*at(server, tmp_path).parent.iterdir()]


@pytest.mark.parametrize(("status", "said"), [(403, "denies access"), (404, "no such file")])
def test_what_the_store_refuses_is_not_asked_for_again(server, tmp_path, status, said):
    server.faults = [status]
    with pytest.raises(SpecimenError, match=said) as error:
        brought(server, tmp_path)
    assert len(server.asked) == 1
    assert server.url not in str(error.value)


def test_a_file_that_is_not_there_is_not_taken_for_a_broken_network(server, tmp_path):
    with pytest.raises(SpecimenError, match="no such file"):
        bring(f"{server.url}/other.svs", tmp_path / "x" / "other.svs", room=0)
    with pytest.raises(UnavailableError, match="cannot be read"):
        bring("http://127.0.0.1:9/other.svs", tmp_path / "x" / "other.svs", room=0)


def test_a_store_that_fsspec_knows_needs_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr("hepatica.cohort.remote.transfer.SCHEMES", (*SCHEMES, "memory"))
    with fsspec.open("memory://bucket/b#1.svs", "wb") as file:
        file.write(BODY)
    to = place_of("memory://bucket/b#1.svs", tmp_path)
    bring("memory://bucket/b#1.svs", to, md5=MD5, room=0)
    assert (to.name, to.read_bytes()) == ("b_1.svs", BODY)
    with pytest.raises(SpecimenError, match="folder of a store"):
        bring("memory://bucket", to, room=0)


@pytest.mark.parametrize(("fault", "said"), [(ImportError("Install s3fs"), "Install s3fs"), (OSError("x"), "OSError")])
def test_a_package_that_is_missing_is_named_and_a_store_that_is_not_there(tmp_path, monkeypatch, fault, said):
    monkeypatch.setattr("fsspec.core.url_to_fs", Mock(side_effect=fault))
    with pytest.raises(UnavailableError, match=said):
        bring("hdfs://bucket/key.svs", tmp_path / "x" / "key.svs", room=0)


def test_a_client_that_refuses_its_arguments_is_no_absent_file(server, tmp_path, monkeypatch):
    monkeypatch.setattr("fsspec.implementations.http.HTTPFileSystem._open", Mock(side_effect=ValueError("x")))
    with pytest.raises(UnavailableError, match="ValueError"):
        brought(server, tmp_path)


def test_a_size_that_nothing_says_needs_a_checksum(server, tmp_path):
    server.sized, server.faults = False, [50_000] * 20
    with pytest.raises(SpecimenError, match="give its checksum"):
        brought(server, tmp_path, md5="")
    with pytest.raises(SpecimenError, match=r"got 50000 bytes of md5 \w+, wanted None"):
        brought(server, tmp_path, room=10**6)
    server.faults.clear()
    assert brought(server, tmp_path, room=10**6).read_bytes() == BODY


def test_a_body_without_a_size_ends_where_there_is_no_room(server, tmp_path):
    server.sized = False
    with pytest.raises(UnavailableError, match="HEPATICA_CACHE_GB"):
        brought(server, tmp_path, room=50_000)
    assert sum(each.stat().st_size for each in tmp_path.rglob("*") if each.is_file()) == 0


def test_a_body_larger_than_announced_is_not_written_to_its_end(server, tmp_path):
    server.ranges = False
    announced = replace(described(f"{server.url}/a.nii.gz", md5=MD5), size=60_000)
    with pytest.raises(SpecimenError, match="got 80000 bytes"):
        bring_described(announced, at(server, tmp_path), room=0)


@pytest.mark.parametrize("accepts", ["", "none"])
def test_what_begins_anew_each_time_is_not_tried_for_ever(server, tmp_path, waited, accepts):
    server.ranges, server.accepts = False, accepts
    server.files["/a.nii.gz"] = BODY * 40
    server.faults = list(range(1_000_000, 4_000_000, 200_000))
    with pytest.raises(UnavailableError, match="cannot be read"):
        brought(server, tmp_path, md5="")
    assert waited == [1, 2, 4]


def test_a_long_file_has_time_and_the_user_s_own_settings_hold(monkeypatch):
    monkeypatch.setitem(fsspec.config.conf, "http", {"client_kwargs": {"trust_env": True}})
    client = store("http://127.0.0.1:9/a.svs")[0].client_kwargs
    assert client["trust_env"]
    assert (client["timeout"].total, client["timeout"].sock_read) == (None, 60)
