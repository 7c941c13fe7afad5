"""Remote: files of stores brought whole, checked, resumed, into a cache that stays within its bound."""

import fcntl
import hashlib
import os
from pathlib import Path

import fsspec
import pytest

from hepatica.cohort import CohortError, SettingsError, SpecimenError, UnavailableError, load_cohort
from hepatica.cohort.digests import content_digest, contents
from hepatica.cohort.remote import bring, bring_all, place_of

BODY = bytes(range(256)) * 400
MD5 = hashlib.md5(BODY).hexdigest()
NAMES = """patient_id,specimen_id,modality,path,md5,mask
P1,S1,ct,{url}/a.nii.gz,{md5},
P2,S2,ct,slides/1.svs,,{url}/mask.nii.gz
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HEPATICA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("hepatica.cohort.remote._BLOCK", 40_000)
    return tmp_path / "cache"


@pytest.fixture
def server(file_server):
    file_server.files = {"/a.nii.gz": BODY, "/mask.nii.gz": b"mask"}
    return file_server


def at(server, tmp_path) -> Path:
    return place_of(f"{server.url}/a.nii.gz", tmp_path)


def brought(server, tmp_path, *, md5: str = MD5) -> Path:
    to = at(server, tmp_path)
    bring(f"{server.url}/a.nii.gz", to, md5=md5)
    return to


@pytest.fixture(autouse=True)
def waited(monkeypatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr("hepatica.cohort.remote.time.sleep", found.append)
    return found


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


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.gdc.cancer.gov/data/0f1#TCGA-A.svs", "TCGA-A.svs"),
        ("https://x/a%20b.svs?key=secret", "a_b.svs"),
        ("s3://bucket/..", "file"),
        ("s3://bucket/a/..%2F..%2Fb.svs", "_.._b.svs"),
        ("s3://bucket/", "file"),
    ],
)
def test_names_stay_inside_and_keep_their_ending(url, name, tmp_path):
    found = place_of(url, tmp_path)
    assert (found.name, found.parent.parent) == (name, tmp_path)


def test_a_cohort_of_urls_has_the_digests_of_its_files(server, write_cohort, tmp_path):
    cohort = load_cohort(write_cohort(tmp_path / "far", specimens=NAMES.format(url=server.url, md5=MD5)))
    assert server.asked == []
    far = contents(cohort.specimens)
    local = write_cohort(tmp_path / "near", specimens=NAMES.format(url="slides", md5=MD5))
    for name, content in server.files.items():
        (local / "slides" / name.strip("/")).write_bytes(content)
    assert far == contents(load_cohort(local).specimens)
    assert content_digest(cohort.specimens[0].path) == hashlib.sha256(BODY).digest()


def test_a_missing_file_is_named_by_its_row(server, write_cohort, tmp_path):
    del server.files["/mask.nii.gz"]
    cohort = load_cohort(write_cohort(tmp_path / "far", specimens=NAMES.format(url=server.url, md5=MD5)))
    with pytest.raises(SpecimenError, match=r"specimens.csv row 3 column mask: the store has no such file"):
        contents(cohort.specimens)


@pytest.mark.parametrize("url", ["file:///etc", "simplecache::s3://b", "C://x", "local:///etc"])
def test_other_urls_are_faults_of_the_table(write_cohort, tmp_path, url):
    with pytest.raises(CohortError, match=r"row 2 column path: got a URL of the kind .*wanted one of abfs"):
        load_cohort(write_cohort(tmp_path / "far", specimens=NAMES.format(url=url, md5=MD5)))


def test_offline_refuses_a_cohort_of_urls_before_anything_else(server, write_cohort, tmp_path, monkeypatch):
    folder = write_cohort(tmp_path / "far", specimens=NAMES.format(url=server.url, md5=MD5))
    cohort = load_cohort(folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CohortError, match=r"row 2 column path: got a URL, which --offline"):
        load_cohort(folder)
    with pytest.raises(UnavailableError, match="--offline"):
        bring_all(cohort.specimens)
    assert server.asked == []


def test_a_checksum_that_is_none_is_a_fault(write_cohort, tmp_path):
    with pytest.raises(CohortError, match=r"row 2 column md5: got 'x', wanted an MD5 checksum"):
        load_cohort(write_cohort(tmp_path / "far", specimens=NAMES.format(url="memory://x", md5="x")))


def of(server, folder, write_cohort, *names: str):
    rows = "".join(f"P{k},S{k},ct,{server.url}/{name}\n" for k, name in enumerate(names, start=1))
    return load_cohort(write_cohort(folder, specimens=f"patient_id,specimen_id,modality,path\n{rows}")).specimens


def test_the_cache_stays_within_its_bound(server, write_cohort, tmp_path, monkeypatch):
    server.files = {f"/{name}": name.encode() * 1000 for name in "abcd"}
    monkeypatch.setenv("HEPATICA_CACHE_GB", "3.5e-6")
    every = of(server, tmp_path / "far", write_cohort, *"abcd")
    bring_all(every[:3])
    for age, each in enumerate(every[:3]):
        version = each.path.with_name(".version")
        os.utime(version, (age, age))
    bring_all(every[:1])  # the oldest until now
    bring_all(every[3:])
    assert [each.path.exists() for each in every] == [True, False, True, True]
    with pytest.raises(UnavailableError, match=r"0.0 GB.*HEPATICA_CACHE_GB.*hepatica features"):
        bring_all(every)


def test_what_another_process_may_read_is_not_removed(server, write_cohort, tmp_path, monkeypatch, cache):
    server.files = {f"/{name}": name.encode() * 1000 for name in "ab"}
    monkeypatch.setenv("HEPATICA_CACHE_GB", "1.5e-6")
    first, second = of(server, tmp_path / "far", write_cohort, *"ab")
    bring_all([first])
    with (cache / ".in_use").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        with pytest.raises(UnavailableError, match="another process uses it"):
            bring_all([second])
    assert first.path.exists()
    bring_all([second])
    assert not first.path.exists()


def test_a_bound_that_is_no_number_is_a_fault(server, write_cohort, tmp_path, monkeypatch):
    monkeypatch.setenv("HEPATICA_CACHE_GB", "-1")
    with pytest.raises(SettingsError, match="wanted a number of GB"):
        bring_all(of(server, tmp_path / "far", write_cohort, "a.nii.gz"))
