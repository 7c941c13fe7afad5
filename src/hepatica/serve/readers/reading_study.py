"""Reading study: which reader reads which case in which arm when, what they called, and the table of all of it.

A crossover: in the first session a reader sees half of the cases alone and half with the model, in random order; in the
second, after a washout, each case in the other arm, in another order.
"""

import json
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pandas as pd

from hepatica.cohort.atomic import read_json, write_json
from hepatica.serve.refusals import ConflictError, NotFoundError

Arm = Literal["unaided", "aided"]
ARMS: tuple[Arm, Arm] = ("unaided", "aided")
MACHINE = "AI"
"""The reader that is the model, in the exported table."""

DAY_S = 86400.0
LEAST = 2
"""Cases of each true answer without which there is no AUROC."""

COLUMNS = ["case", "reader", "truth", "call", "score", "arm", "advice", "seconds", "session", "place"]


@dataclass(frozen=True, kw_only=True)
class Study:
    """Cases by their id with their truth and what the model said: call ("1" or "0") and score, 0 to 100."""

    study_id: str
    name: str
    question: str
    washout_days: float
    truth: Mapping[str, str]
    advice: Mapping[str, str]
    scores: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One call of a reader: `score` 0 to 100, `seconds` from when the images were whole, `time` since 1970."""

    case: str
    arm: Arm
    session: int
    place: int
    call: str
    score: float
    seconds: float
    time: float


@dataclass(frozen=True, kw_only=True)
class Next:
    """What a reader reads next, the `place` of `of` in a session; or, without a case, from when they may go on."""

    case: str
    arm: Arm
    session: int
    place: int
    of: int
    opens: float = 0.0


class Studies:
    """Studies in a folder, each one file and one of readings a reader."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, study: Study) -> str:
        """Its id; ConflictError with fewer than two cases of a truth, which `hepatica readers` could not analyse."""
        counts = [list(study.truth.values()).count(truth) for truth in ("1", "0")]
        if min(counts) < LEAST:
            raise ConflictError(
                f"got {counts[0]} cases with the answer yes and {counts[1]} with no, wanted {LEAST} of each at least"
            )
        write_json(self.folder / study.study_id / "study.json", asdict(study))
        return study.study_id

    def get(self, study_id: str) -> Study:
        """The study of this id; NotFoundError where there is none."""
        path = self.folder / study_id / "study.json"
        if not (study_id.isalnum() and path.is_file()):
            raise NotFoundError("there is no reader study of that id")
        return Study(**read_json(path))

    def all(self) -> list[Study]:
        """Every study, the newest first."""
        found = sorted(self.folder.glob("*/study.json"), key=lambda path: -path.stat().st_mtime)
        return [self.get(path.parent.name) for path in found]

    def readings(self, study_id: str, reader: str) -> list[Reading]:
        """What a reader has called so far, in order."""
        path = self._path(study_id, reader)
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return [Reading(**json.loads(line)) for line in lines[1:]]

    def readers(self, study_id: str) -> list[str]:
        """Those who have begun."""
        paths = sorted((self.folder / study_id).glob("reader_*.jsonl"))
        return [json.loads(path.read_text(encoding="utf-8").splitlines()[0])["reader"] for path in paths]

    def begin(self, study_id: str, reader: str) -> None:
        """Note that a reader takes part, from when on they are blind."""
        with self._path(study_id, reader).open("a", encoding="utf-8") as file:
            if not os.fstat(file.fileno()).st_size:
                file.write(json.dumps({"reader": reader}) + "\n")

    def is_blind(self, case_id: str, reader: str) -> bool:
        """Whether a reader has yet to read a case alone in a study that they have begun, and does not read it with the
        model right now.
        """
        begun = [self.get(path.parent.name) for path in self.folder.glob(f"*/{_file_of(reader)}")]
        own = [(each, self.readings(each.study_id, reader)) for each in begun if case_id in each.truth]
        due = any(all((one.case, one.arm) != (case_id, "unaided") for one in done) for _, done in own)
        return due and not any(_aided_now(coming(each, reader, done), case_id) for each, done in own)

    def record(self, study_id: str, reader: str, reading: Reading) -> None:
        """Add a call; ConflictError where it is not the one that comes next, as when it was sent twice."""
        expected = coming(self.get(study_id), reader, self.readings(study_id, reader))
        if expected is None or (expected.case, expected.session) != (reading.case, reading.session) or expected.opens:
            raise ConflictError("this reading is not the next one: it was sent already, or by another window")
        self.begin(study_id, reader)
        with self._path(study_id, reader).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(reading)) + "\n")

    def _path(self, study_id: str, reader: str) -> Path:
        return self.folder / study_id / _file_of(reader)


def _file_of(reader: str) -> str:
    return f"reader_{sha256(reader.encode()).hexdigest()[:16]}.jsonl"


def _aided_now(found: Next | None, case_id: str) -> bool:
    return found is not None and not found.opens and (found.case, found.arm) == (case_id, "aided")


def new_id() -> str:
    """An id that says nothing."""
    return uuid4().hex


def schedule(study: Study, reader: str, *, session: int) -> list[tuple[str, Arm]]:
    """Cases and arms of a session (1 or 2), in the reader's own random order, the same whenever it is asked for."""
    cases = sorted(study.truth)
    random.Random(f"{study.study_id} {reader} halves").shuffle(cases)
    aided_first = set(cases[: len(cases) // 2])
    order = sorted(study.truth)
    random.Random(f"{study.study_id} {reader} {session}").shuffle(order)
    return [(case, ARMS[(case in aided_first) == (session == 1)]) for case in order]


def coming(study: Study, reader: str, done: Sequence[Reading], *, now: float | None = None) -> Next | None:
    """What the reader reads next; None once they have read every case in both arms."""
    count = len(study.truth)
    session, place = divmod(len(done), count)
    if session == 2:
        return None
    case, arm = schedule(study, reader, session=session + 1)[place]
    opens = 0.0
    if session == 1:
        until = done[count - 1].time + DAY_S * study.washout_days
        opens = until if until > (time.time() if now is None else now) else 0.0
    return Next(case=case, arm=arm, session=session + 1, place=place + 1, of=count, opens=opens)


def table(study: Study, readings: Mapping[str, Sequence[Reading]]) -> pd.DataFrame:
    """The rows of readers.csv, as `hepatica readers` reads them, of readers who are done; the model's without an arm.

    ConflictError while no reader is done.
    """
    done = {name: own for name, own in readings.items() if len(own) == 2 * len(study.truth)}
    if not done:
        raise ConflictError("no reader has read every case in both arms yet; the table has those who have")
    rows = [*_rows(study, done), *_machine(study)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(study: Study, readings: Mapping[str, Sequence[Reading]]) -> Iterator[dict[str, Any]]:
    """Unaided readings first, for so `hepatica readers` knows the arms."""
    for arm in ARMS:
        for reader, own in readings.items():
            for each in own:
                if each.arm == arm:
                    shown = study.advice[each.case] if arm == "aided" else ""
                    own_facts = {
                        name: getattr(each, name) for name in ("case", "call", "score", "arm", "session", "place")
                    }
                    more = {"reader": reader, "truth": study.truth[each.case], "advice": shown}
                    yield own_facts | more | {"seconds": round(each.seconds, 1)}


def _machine(study: Study) -> Iterator[dict[str, Any]]:
    for case, call in study.advice.items():
        yield {"case": case, "reader": MACHINE, "truth": study.truth[case], "call": call, "score": study.scores[case]}
