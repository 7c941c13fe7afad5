"""Reading study: each case once in each arm, half of them first with the model; a call counts once."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.evaluate import read_readers, study_readers
from hepatica.serve.readers.reading_study import DAY_S, Reading, Studies, Study, coming, schedule, table
from hepatica.serve.refusals import ConflictError, NotFoundError


def study(count: int = 6, *, washout_days: float = 0.0) -> Study:
    cases = [f"{n:032x}" for n in range(count)]
    return Study(
        study_id="ab" * 16, name="Pilot", question="HCC?", washout_days=washout_days,
        truth={case: str(n % 2) for n, case in enumerate(cases)},
        advice={case: str(n // 2 % 2) for n, case in enumerate(cases)},
        scores={case: 10.0 * n for n, case in enumerate(cases)},
    )  # fmt: skip


def readings(of: Study, reader: str, *, count: int, start: float = 0.0) -> list[Reading]:
    """The first so many calls of a reader, one a second."""
    done: list[Reading] = []
    while len(done) < count:
        found = coming(of, reader, done, now=1e12)
        done.append(Reading(case=found.case, arm=found.arm, session=found.session, place=found.place,
                            call=of.truth[found.case], score=50, seconds=3.21, time=start + len(done)))  # fmt: skip
    return done


@given(st.integers(2, 15), st.text("abcR123", min_size=1, max_size=5))
def test_every_case_is_read_once_in_each_arm(count: int, reader: str) -> None:
    of = study(count)
    both = [schedule(of, reader, session=session) for session in (1, 2)]
    assert Counter(pair for session in both for pair in session) == {
        (case, arm): 1 for case in of.truth for arm in ("unaided", "aided")
    }
    assert [len({case for case, _ in session}) for session in both] == [count, count]
    assert sum(arm == "aided" for _, arm in both[0]) == count // 2
    assert both == [schedule(of, reader, session=session) for session in (1, 2)]


def test_readers_and_sessions_have_orders_of_their_own() -> None:
    of = study(12)
    orders = {tuple(case for case, _ in schedule(of, reader, session=k)) for reader in "ABC" for k in (1, 2)}
    halves = {frozenset(case for case, arm in schedule(of, reader, session=1) if arm == "aided") for reader in "ABC"}
    assert (len(orders), len(halves)) == (6, 3)


def test_the_second_session_opens_after_the_washout() -> None:
    of = study(4, washout_days=28)
    done = readings(of, "R1", count=4, start=1000.0)
    early = coming(of, "R1", done, now=done[-1].time + 27 * DAY_S)
    late = coming(of, "R1", done, now=done[-1].time + 28 * DAY_S + 1)
    assert early.opens == done[-1].time + 28 * DAY_S
    assert (late.opens, late.session, late.place) == (0.0, 2, 1)
    assert coming(of, "R1", readings(of, "R1", count=8)) is None


def test_a_call_that_was_sent_twice_counts_once(tmp_path: Path) -> None:
    studies, of = Studies(tmp_path), study(4)
    studies.add(of)
    first, second, *_ = readings(of, "Dr <script>/../x", count=4)
    studies.record(of.study_id, "Dr <script>/../x", first)
    with pytest.raises(ConflictError, match="sent already"):
        studies.record(of.study_id, "Dr <script>/../x", first)
    studies.record(of.study_id, "Dr <script>/../x", second)
    assert studies.readings(of.study_id, "Dr <script>/../x") == [first, second]
    assert studies.readers(of.study_id) == ["Dr <script>/../x"]
    assert {each.parent for each in tmp_path.rglob("*.jsonl")} == {tmp_path / of.study_id}


def test_no_reading_before_the_washout_is_over(tmp_path: Path) -> None:
    studies, of = Studies(tmp_path), study(4, washout_days=1)
    studies.add(of)
    every = readings(of, "R1", count=8, start=4e9)
    for each in every[:4]:
        studies.record(of.study_id, "R1", each)
    with pytest.raises(ConflictError):
        studies.record(of.study_id, "R1", every[4])


def test_the_table_is_what_hepatica_readers_accepts(tmp_path: Path) -> None:
    of = study(6)
    found = table(of, {name: readings(of, name, count=12) for name in ("R1", "R2")} | {"R3": []})
    found.to_csv(tmp_path / "readers.csv", index=False)
    read = read_readers(tmp_path / "readers.csv", arm="arm", score="score", machine="AI", advice="advice")
    assert (read.readers, list(read.arms)) == (("R1", "R2"), ["unaided", "aided"])
    assert study_readers(read).aided is not None
    assert set(found["reader"]) == {"R1", "R2", "AI"}
    assert found["seconds"].dropna().unique().tolist() == [3.2]


@pytest.mark.parametrize("truth", [{}, {"a": "1"}, {"a": "1", "b": "1"}, {"a": "1", "b": "1", "c": "0"}])
def test_a_study_without_both_kinds_is_refused(tmp_path: Path, truth: dict[str, Any]) -> None:
    from dataclasses import replace

    with pytest.raises(ConflictError, match="wanted 2 of each"):
        Studies(tmp_path).add(replace(study(), truth=truth))


@pytest.mark.parametrize("study_id", ["..", "../x", "", "nothing"])
def test_an_unknown_study_is_refused(tmp_path: Path, study_id: str) -> None:
    with pytest.raises(NotFoundError):
        Studies(tmp_path).get(study_id)


def test_no_table_before_a_reader_is_done() -> None:
    of = study(4)
    with pytest.raises(ConflictError, match="no reader has read every case"):
        table(of, {"R1": readings(of, "R1", count=7)})


def test_a_reader_is_blind_until_they_have_read_alone(tmp_path: Path) -> None:
    studies, of = Studies(tmp_path), study(4)
    studies.add(of)
    assert not any(studies.is_blind(case, "R1") for case in of.truth)
    studies.begin(of.study_id, "R1")
    studies.begin(of.study_id, "R1")
    assert studies.readers(of.study_id) == ["R1"]
    assert not studies.is_blind("another", "R1")
    assert not studies.is_blind(next(iter(of.truth)), "R2")
    for each in readings(of, "R1", count=8):
        done = {one.case for one in studies.readings(of.study_id, "R1") if one.arm == "unaided"}
        aided = {each.case} if each.arm == "aided" else set()
        blind = {case for case in of.truth if studies.is_blind(case, "R1")}
        assert blind == set(of.truth) - done - aided
        studies.record(of.study_id, "R1", each)
    assert not any(studies.is_blind(case, "R1") for case in of.truth)
