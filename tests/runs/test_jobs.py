"""Jobs: each has one owner at a time, counts once, and outlives whoever does it."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest

from hepatica.cohort import SettingsError
from hepatica.runs.jobs import ATTEMPTS, Jobs


@pytest.fixture(params=["file", "server"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Jobs:
    return Jobs(tmp_path / "jobs.sqlite" if request.param == "file" else request.getfixturevalue("postgresql"))


def test_the_same_request_twice_is_one_job(jobs: Jobs) -> None:
    first = jobs.add("predict", {"slide": "a", "run": "r"})
    assert jobs.add("predict", {"run": "r", "slide": "a"}) == first
    assert jobs.add("explain", {"run": "r", "slide": "a"}) != first
    assert [each.kind for each in jobs.all()] == ["predict", "explain"]
    assert [each.key for each in jobs.all(kind="predict")] == [first]
    assert jobs.get("none") is None


def _add(where: Path | str, number: int) -> str:
    return Jobs(where).add("predict", {"n": number})


def test_processes_that_start_at_once_share_a_table(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    for where in (tmp_path / "new.sqlite", request.getfixturevalue("postgresql")):
        with ThreadPoolExecutor(4) as pool:
            keys = list(pool.map(partial(_add, where), range(4)))
        assert sorted(each.key for each in Jobs(where).all()) == sorted(keys)


def test_jobs_are_claimed_in_order_and_a_result_is_kept(jobs: Jobs) -> None:
    keys = [jobs.add("predict", {"n": n}) for n in range(3)]
    claimed = [jobs.claim("w") for _ in range(4)]
    assert [each and each.key for each in claimed] == [*keys, None]
    assert claimed[0].given == {"n": 0}
    assert jobs.beat(claimed[0], progress=0.25)
    assert jobs.get(keys[0]).progress == 0.25
    assert jobs.beat(claimed[0])
    assert jobs.get(keys[0]).progress == 0.25
    assert jobs.finish(claimed[0], {"score": 0.5})
    assert jobs.fail(claimed[1], "got ink, wanted tissue")
    assert [(each.state, each.result, each.error) for each in jobs.all()] == [
        ("done", {"score": 0.5}, ""),
        ("failed", None, "got ink, wanted tissue"),
        ("running", None, ""),
    ]
    assert jobs.unfinished() == 1
    jobs.add("predict", {"n": 0})
    assert jobs.get(keys[0]).state == "done"


def test_who_lost_the_lease_can_no_longer_finish(jobs: Jobs) -> None:
    key = jobs.add("predict", {})
    slow = jobs.claim("slow", lease_s=0.05)
    time.sleep(0.1)
    second = jobs.claim("second")
    assert second.attempts == 2
    assert not jobs.beat(slow)
    assert not jobs.finish(slow, "old")
    assert not jobs.fail(slow, "old")
    assert jobs.finish(second, "new")
    assert not jobs.finish(second, "again")
    assert (jobs.get(key).result, jobs.get(key).error) == ("new", "")


def test_one_worker_that_claims_anew_does_not_finish_its_first_claim(jobs: Jobs) -> None:
    jobs.add("predict", {})
    first = jobs.claim("w", lease_s=0.05)
    time.sleep(0.1)
    jobs.claim("w")
    assert not jobs.finish(first, "old")


def test_a_job_that_kills_its_workers_is_set_aside_and_may_be_tried_again(jobs: Jobs) -> None:
    key = jobs.add("predict", {})
    for attempt in range(1, ATTEMPTS + 1):
        assert jobs.claim(f"w{attempt}").attempts == attempt
        jobs.release(f"w{attempt}")
    assert jobs.claim("w") is None
    assert jobs.get(key).state == "quarantined"
    assert "died" in jobs.get(key).error
    assert jobs.retry(key)
    assert jobs.claim("w").attempts == 1
    assert not jobs.retry(key)
    jobs.release("w")
    assert jobs.claim("w").attempts == 2


def test_leases_that_are_lost_without_a_death_set_no_job_aside(jobs: Jobs) -> None:
    frozen, other = jobs.add_all([("predict", {"n": n}) for n in (0, 1)])
    for attempt in range(ATTEMPTS + 1):
        assert jobs.claim(f"frozen {attempt}", lease_s=0.01).key == frozen
        time.sleep(0.05)
        if attempt == 0:
            assert jobs.claim("w").key == other
    own = jobs.claim("v")
    assert (own.key, own.attempts) == (frozen, ATTEMPTS + 2)
    assert jobs.finish(own)


def test_a_death_is_counted_once_and_not_by_what_was_lost_before(jobs: Jobs) -> None:
    key = jobs.add("predict", {})
    for attempt in range(ATTEMPTS):
        jobs.claim(f"frozen {attempt}", lease_s=0.01)
        time.sleep(0.05)
    for attempt in range(1, ATTEMPTS + 1):
        assert jobs.claim(f"w{attempt}") is not None
        assert jobs.release(f"w{attempt}")
        assert not jobs.release(f"w{attempt}")
    assert jobs.claim("w") is None
    assert jobs.get(key).state == "quarantined"


def test_a_server_that_does_not_answer_is_asked_again(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    patient, impatient = Jobs(postgresql, patience_s=1), Jobs(postgresql)
    connect, tries = psycopg.connect, []

    def away(url: str, **given: object) -> object:
        tries.append(url)
        if len(tries) < 3:
            raise psycopg.OperationalError("connection refused")
        return connect(url, **given)

    monkeypatch.setattr(psycopg, "connect", away)
    assert patient.unfinished() == 0
    assert len(tries) == 3
    tries.clear()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        impatient.unfinished()


def test_a_cancelled_job_is_no_longer_its_workers(jobs: Jobs) -> None:
    key = jobs.add("predict", {})
    own = jobs.claim("w")
    assert jobs.cancel(key)
    assert not jobs.beat(own)
    assert not jobs.finish(own)
    assert not jobs.cancel(key)
    assert jobs.get(key).state == "cancelled"


def test_a_job_that_is_tried_again_is_not_finished_by_its_first_worker(jobs: Jobs) -> None:
    key = jobs.add("predict", {})
    first = jobs.claim("first")
    jobs.cancel(key)
    jobs.retry(key)
    assert jobs.claim("second").attempts == first.attempts
    assert not jobs.finish(first, "old")


def test_what_json_cannot_hold_changes_nothing(jobs: Jobs) -> None:
    with pytest.raises(ValueError, match="JSON"):
        jobs.add("predict", {"mpp": float("nan")})
    key = jobs.add("predict", {})
    own = jobs.claim("w")
    with pytest.raises(ValueError, match="JSON"):
        jobs.finish(own, float("inf"))
    assert jobs.get(key).state == "running"


def test_another_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="mysql"):
        Jobs("mysql://somewhere")


def take(where: str, name: str, taken: "object") -> None:
    jobs, own = Jobs(where if "://" in where else Path(where)), []
    while (job := jobs.claim(name)) is not None:
        own.append(job.key)
        jobs.finish(job)
    taken.put(own)


def test_processes_that_claim_at_once_never_get_the_same(jobs: Jobs) -> None:
    keys = [jobs.add("predict", {"n": n}) for n in range(60)]
    context = get_context("fork")
    taken = context.Queue()
    processes = [context.Process(target=take, args=(str(jobs.where), f"w{n}", taken)) for n in range(3)]
    for each in processes:
        each.start()
    found = [key for _ in processes for key in taken.get(timeout=60)]
    for each in processes:
        each.join()
    assert sorted(found) == sorted(keys)
    assert {each.state for each in jobs.all()} == {"done"}


def test_who_reads_waits_for_none_who_writes(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs.sqlite")
    key, begun = jobs.add("predict", {}), time.monotonic()
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE jobs SET state = 'done'")
        assert jobs.get(key).state == "waiting"
        assert [len(jobs.all()), jobs.unfinished()] == [1, 1]
    assert time.monotonic() - begun < 10


def test_many_are_added_at_once_in_their_order(jobs: Jobs) -> None:
    first = jobs.add("predict", {"n": 0})
    keys = jobs.add_all([("predict", {"n": n}) for n in (1, 0, 2)])
    assert keys[1] == first
    assert [each.given["n"] for each in jobs.all()] == [0, 1, 2]


def test_who_is_stopped_from_without_gives_the_job_back(jobs: Jobs) -> None:
    key = jobs.add("predict", {})
    for _ in range(ATTEMPTS + 1):
        assert jobs.claim("w").attempts == 1
        jobs.give_back("w")
    assert (jobs.get(key).state, jobs.get(key).attempts) == ("waiting", 0)
    jobs.claim("w")
    jobs.give_back("another")
    assert jobs.get(key).state == "running"


def test_jobs_whose_workers_died_are_begun_last(jobs: Jobs) -> None:
    first, second = jobs.add_all([("predict", {"n": n}) for n in (0, 1)])
    jobs.claim("w")
    assert jobs.release("w")
    assert not jobs.release("w of no job")
    assert [jobs.claim("v").key for _ in range(2)] == [second, first]
    assert [each.key for each in jobs.all(state="running")] == [first, second]
    assert jobs.all(kind="explain", state="running") == []
