"""Download: resumed, checked, whole or not at all."""

import hashlib

import httpx
import pytest

from hepatica.cohort.errors import SpecimenError, UnavailableError
from hepatica.fetch.download import RemoteFile, download, part_of

ID = "00000000-0000-4000-8000-0000000f0001"
BODY = (ID * 2000).encode()
FILE = RemoteFile(file_id=ID, md5=hashlib.md5(BODY).hexdigest(), size=len(BODY))


def ranges(archive) -> list[str | None]:
    return [request.headers.get("Range") for request in archive.asked]


def test_a_file_comes_whole_and_leaves_nothing_beside_it(gdc, tmp_path):
    sizes: list[int] = []
    download(gdc, FILE, tmp_path / "slides" / "a.svs", seen=sizes.append)
    assert (tmp_path / "slides" / "a.svs").read_bytes() == BODY
    assert [path.name for path in (tmp_path / "slides").iterdir()] == ["a.svs"]
    assert sizes == sorted(sizes)
    assert sizes[-1] == FILE.size


@pytest.mark.parametrize("have", [1, 1000, len(BODY) - 1])
def test_only_the_rest_is_asked_for(gdc, archive, tmp_path, have):
    part_of(FILE, tmp_path / "a.svs").write_bytes(BODY[:have])
    download(gdc, FILE, tmp_path / "a.svs")
    assert (tmp_path / "a.svs").read_bytes() == BODY
    assert ranges(archive) == [f"bytes={have}-"]


def test_bytes_that_are_all_there_are_only_checked(gdc, archive, tmp_path):
    part_of(FILE, tmp_path / "a.svs").write_bytes(BODY)
    download(gdc, FILE, tmp_path / "a.svs")
    assert archive.asked == []


def test_an_archive_without_ranges_is_begun_anew(gdc, archive, tmp_path):
    archive.ranges = False
    part_of(FILE, tmp_path / "a.svs").write_bytes(b"x" * 1000)
    download(gdc, FILE, tmp_path / "a.svs")
    assert (tmp_path / "a.svs").read_bytes() == BODY


def other_range() -> httpx.Response:
    told = {"Content-Range": f"bytes 5-{len(BODY) - 1}/{len(BODY)}"}
    return httpx.Response(206, stream=httpx.ByteStream(BODY[5:]), headers=told)


@pytest.mark.parametrize("odd", [httpx.Response(416), other_range()])
def test_another_range_than_asked_for_is_begun_anew(gdc, archive, tmp_path, odd):
    part_of(FILE, tmp_path / "a.svs").write_bytes(BODY[:1000])
    archive.faults = [odd]
    download(gdc, FILE, tmp_path / "a.svs")
    assert (tmp_path / "a.svs").read_bytes() == BODY
    assert ranges(archive) == ["bytes=1000-", None]


@pytest.mark.parametrize("error", [httpx.ReadError("reset"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("x")])
def test_a_connection_that_breaks_is_taken_up_where_it_broke(gdc, archive, broken, tmp_path, error):
    archive.faults = [httpx.Response(200, stream=broken(BODY[:5000], error))]
    download(gdc, FILE, tmp_path / "a.svs")
    assert (tmp_path / "a.svs").read_bytes() == BODY
    assert ranges(archive) == [None, "bytes=5000-"]


def test_a_connection_that_closes_early_without_a_word_is_taken_up(gdc, archive, tmp_path):
    archive.faults = [httpx.Response(200, stream=httpx.ByteStream(BODY[:5000]))]
    download(gdc, FILE, tmp_path / "a.svs")
    assert ranges(archive) == [None, "bytes=5000-"]


def test_busy_in_between_keeps_what_has_come(gdc, archive, tmp_path):
    part_of(FILE, tmp_path / "a.svs").write_bytes(BODY[:1000])
    archive.faults = [httpx.Response(503)]
    download(gdc, FILE, tmp_path / "a.svs")
    assert ranges(archive) == ["bytes=1000-", "bytes=1000-"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
def test_killed_in_the_middle_the_next_call_goes_on(gdc, archive, broken, tmp_path, stop):
    archive.faults = [httpx.Response(200, stream=broken(BODY[:5000], stop()))]
    with pytest.raises(stop):
        download(gdc, FILE, tmp_path / "a.svs")
    assert not (tmp_path / "a.svs").exists()
    assert part_of(FILE, tmp_path / "a.svs").read_bytes() == BODY[:5000]
    download(gdc, FILE, tmp_path / "a.svs")
    assert (tmp_path / "a.svs").read_bytes() == BODY
    assert ranges(archive) == [None, "bytes=5000-"]


def test_no_network_keeps_what_has_come(gdc, archive, tmp_path):
    part_of(FILE, tmp_path / "a.svs").write_bytes(BODY[:1000])
    archive.faults = [httpx.ConnectError("no route")] * 9
    with pytest.raises(UnavailableError, match="cannot be reached"):
        download(gdc, FILE, tmp_path / "a.svs")
    assert part_of(FILE, tmp_path / "a.svs").read_bytes() == BODY[:1000]


@pytest.mark.parametrize("came", [b"x" * len(BODY), BODY + b"more"])
def test_damaged_bytes_are_removed_and_told(gdc, archive, tmp_path, came):
    archive.faults = [httpx.Response(200, stream=httpx.ByteStream(came))]
    with pytest.raises(SpecimenError, match=r"wanted .*removed, run the same command again"):
        download(gdc, FILE, tmp_path / "a.svs")
    assert list(tmp_path.iterdir()) == []


def test_more_bytes_than_listed_do_not_fill_the_disk(gdc, archive, tmp_path):
    given = []

    def endless():
        while len(given) < 1000:
            given.append(1)
            yield BODY

    archive.faults = [httpx.Response(200, content=endless())]
    with pytest.raises(SpecimenError):
        download(gdc, FILE, tmp_path / "a.svs")
    assert len(given) == 2
