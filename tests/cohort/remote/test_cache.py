"""Cache: a cohort of URLs reads as one of files, and what was brought stays within its bound."""

import errno
import fcntl
import hashlib
import os
from shutil import rmtree
from unittest.mock import Mock

import pytest

from hepatica.cohort import CohortError, SettingsError, SpecimenError, UnavailableError, load_cohort
from hepatica.cohort.digests import content_digest, contents
from hepatica.cohort.remote import bring_all, place_of

BODY = bytes(range(256)) * 400
MD5 = hashlib.md5(BODY).hexdigest()
NAMES = """patient_id,specimen_id,modality,path,md5,mask
P1,S1,ct,{url}/a.nii.gz,{md5},
P2,S2,ct,slides/1.svs,,{url}/mask.nii.gz
"""


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


@pytest.mark.parametrize("url", ["file:///etc", "memory://b", "simplecache::s3://b", "C://x", "local:///etc"])
def test_other_urls_are_faults_of_the_table(write_cohort, tmp_path, url):
    with pytest.raises(CohortError, match=r"row 2 column path: got a URL of the kind .*wanted one of abfs"):
        load_cohort(write_cohort(tmp_path / "far", specimens=NAMES.format(url=url, md5=MD5)))


@pytest.mark.parametrize("url", ["https://[bad", "s3://[bad"])
def test_a_malformed_host_is_a_fault_of_the_table(write_cohort, tmp_path, url):
    with pytest.raises(CohortError, match=r"row 2 column path: got a URL whose host is malformed"):
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
        load_cohort(write_cohort(tmp_path / "far", specimens=NAMES.format(url="s3://x", md5="x")))


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


def full(server, write_cohort, tmp_path, monkeypatch):
    """A specimen in a cache that is full with it, and another one."""
    server.files = {f"/{name}": name.encode() * 1000 for name in "ab"}
    monkeypatch.setenv("HEPATICA_CACHE_GB", "1.5e-6")
    first, second = of(server, tmp_path / "far", write_cohort, *"ab")
    bring_all([first])
    return first, second


def test_nothing_is_removed_without_a_lock_of_one_s_own(server, write_cohort, tmp_path, monkeypatch, cache):
    first, second = full(server, write_cohort, tmp_path, monkeypatch)

    def removed(folder):
        with (cache / ".in_use").open("a") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        rmtree(folder)

    monkeypatch.setattr("hepatica.cohort.remote.cache.shutil.rmtree", removed)
    bring_all([second])
    assert (first.path.exists(), second.path.exists()) == (False, True)


def test_a_file_system_without_locks_is_no_hindrance(server, write_cohort, tmp_path, monkeypatch):
    monkeypatch.setattr("fcntl.flock", Mock(side_effect=OSError(errno.ENOLCK, "No locks")))
    first, second = full(server, write_cohort, tmp_path, monkeypatch)
    bring_all([second])
    assert (first.path.exists(), second.path.exists()) == (False, True)


def test_a_file_that_is_moved_meanwhile_counts_nothing(server, write_cohort, tmp_path, monkeypatch):
    first, second = full(server, write_cohort, tmp_path, monkeypatch)
    first.path.with_name(".moved.part").symlink_to("nowhere")
    bring_all([second])
    assert second.path.exists()


def test_files_of_unknown_size_share_what_the_cache_has_left(server, write_cohort, tmp_path, monkeypatch):
    server.sized = False
    specimens = NAMES.format(url=server.url, md5=MD5).split("P2")[0]
    monkeypatch.setenv("HEPATICA_CACHE_GB", "5e-5")
    one = load_cohort(write_cohort(tmp_path / "far", specimens=specimens)).specimens
    with pytest.raises(UnavailableError, match=r"row 2 column path: the store does not say how large"):
        bring_all(one)
    monkeypatch.setenv("HEPATICA_CACHE_GB", "2e-4")
    bring_all(one)
    assert one[0].path.read_bytes() == BODY


def test_a_bound_that_is_no_number_is_a_fault(server, write_cohort, tmp_path, monkeypatch):
    monkeypatch.setenv("HEPATICA_CACHE_GB", "-1")
    with pytest.raises(SettingsError, match="wanted a number of GB"):
        bring_all(of(server, tmp_path / "far", write_cohort, "a.nii.gz"))
