"""Preparation: every specimen made ready once, named by content and settings, each attempt recorded in the ledger."""

import base64
import hashlib
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from hepatica.cohort.atomic import read_json, sweep, write_json
from hepatica.cohort.digests import CONTENT, content_digest, content_name
from hepatica.cohort.errors import HepaticaError, NotAssessableError, UnavailableError, reading
from hepatica.cohort.specimens import Specimen


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Ledger:
    """A folder with one small JSON file a specimen: its table row and every attempt (started, finished, error).

    Keys are digests, never identifiers; `row` is the row of specimens.csv, by which the owner finds the file.
    """

    folder: Path

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def read(self, key: str) -> dict[str, Any]:
        """One specimen's record, empty of attempts when it was never tried."""
        path = self._path(key)
        record: dict[str, Any] = read_json(path) if path.exists() else {"attempts": []}
        return record

    @contextmanager
    def entry(self, key: str, *, row: int) -> Iterator[None]:
        """Record one attempt; a HepaticaError ends in the record and goes no further, any other fault is raised too."""
        record = self.read(key) | {"row": row}
        attempt: dict[str, Any] = {"started": _now(), "finished": None, "error": None}
        record["attempts"].append(attempt)
        write_json(self._path(key), record)
        try:
            yield
            attempt["finished"] = _now()
        except BaseException as error:
            attempt["error"] = f"{type(error).__name__}: {error}"
            if not isinstance(error, HepaticaError):
                raise
        finally:
            write_json(self._path(key), record)

    def error(self, key: str) -> str | None:
        """The error of the last attempt; None when it finished, is still open or was never made."""
        attempts = self.read(key)["attempts"]
        return attempts[-1]["error"] if attempts else None


T = TypeVar("T")

EVERY = 30.0
"""Seconds between two lines of a log (ours)."""


def tracked(
    things: Iterable[T], label: str, total: int, *, silent: bool = False, transient: bool = False
) -> Iterator[T]:
    """The things, as they come; how many of `total` are done is shown on stderr, but not by a process that another
    one started, which shows its own.
    """
    console, silent = Console(stderr=True), silent or parent_process() is not None
    if silent or console.is_terminal:
        yield from track(things, label, total, console=console, disable=silent, transient=transient)
        return
    lines = Lines(label, total)
    for done, thing in enumerate(things, start=1):
        yield thing
        lines.show(done)


class Lines:
    """Lines such as "Cutting slides: 12 of 80, 3 min left", on stderr, none within EVERY seconds of the last."""

    def __init__(self, label: str, total: int, *, done: int = 0) -> None:
        self.label, self.total, self.before = label, total, done
        self.began = self.last = time.monotonic()

    def show(self, done: int, *, further: str = "") -> None:
        """Print that so many are done, `further` behind it, where it is time to."""
        now = time.monotonic()
        if now - self.last < EVERY and (done < self.total or self.last == self.began):
            return
        self.last = now
        rate = (done - self.before) / max(now - self.began, 1e-9)
        left = f", {in_words((self.total - done) / rate)} left" if rate and done < self.total else ""
        print(f"{self.label}: {done} of {self.total}{left}{further}", file=sys.stderr, flush=True)


def in_words(seconds: float) -> str:
    """A time of work, as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def specimen_key(
    specimen: Specimen, *, settings: Mapping[str, Any], beside: Iterable[Path] = (), identity: str | None = None
) -> str:
    """Digest of the content of a specimen's file or folder and of everything else that what is made of it depends on.

    Names and places do not count. `settings` are plain values, `beside` further files or folders of it. `content_of`
    gives the part that is of the content, or of `identity`, by which a format knows every copy of one acquisition.
    """
    described = json.dumps({"version": version("hepatica"), **settings}, sort_keys=True)
    content = content_digest(specimen.path) or f"row {specimen.row}".encode()  # keeps empty and lost files apart
    everything = b"".join([content, *map(content_digest, beside), described.encode()])
    return content_name(identity.encode() if identity else content) + hashlib.sha256(everything).hexdigest()[:32]


def content_of(keys: "pd.Series[str]") -> "pd.Series[str]":
    """The part of each key that is alike for equal files, whatever the settings, masks and version they are read by."""
    return keys.str[:CONTENT]


def place_of(squares: np.ndarray) -> str:
    """Which squares (h w) bool of a specimen a region of it covers, as text that `overlapping` reads behind a content;
    "" means all of it.
    """
    return base64.b85encode(zlib.compress(np.packbits(squares).tobytes())).decode()


@lru_cache(maxsize=2**16)
def _squares(place: str) -> int:
    return int.from_bytes(zlib.decompress(base64.b85decode(place))) if place else -1


def overlapping(some: Iterable[str], others: Iterable[str]) -> set[str]:
    """Those of `some` contents, each with the place of a region or none, that show what one of the `others` shows."""
    places: dict[str, set[str]] = {}
    for each in others:
        places.setdefault(each[:CONTENT], set()).add(each[CONTENT:])
    return {
        each
        for each in some
        if any(_squares(each[CONTENT:]) & _squares(other) for other in places.get(each[:CONTENT], ()))
    }


_sweep_once = lru_cache(maxsize=64)(sweep)
"""By a process that prepares specimens one by one, the folder is looked through once and not for each of them."""


def prepare_each(
    work: Mapping[str, Specimen],
    make: Callable[[str, Specimen], None],
    *,
    ledger: Ledger,
    label: str,
    workers: int,
    progress: bool = True,
) -> None:
    """Call `make` with the key and the specimen of each, on several threads, each an entry of the ledger.

    Whatever `make` raises is recorded in the ledger and does not stop the others, for what a file can make its reader
    raise cannot be foreseen; UnavailableError when nothing can be written (disk full). `label` names the work in the
    progress that is shown.
    """

    def entered(key: str, specimen: Specimen) -> None:
        with ledger.entry(key, row=specimen.row), reading("the file", writing=ledger.folder.parent):
            make(key, specimen)

    _sweep_once(ledger.folder.parent)
    with ThreadPoolExecutor(workers) as pool:
        try:
            started = [pool.submit(entered, key, specimen) for key, specimen in work.items()]
            done = as_completed(started)
            for each in tracked(done, label, len(started), silent=not progress):
                each.result()
        except OSError as error:
            raise UnavailableError(
                f"prepared specimens cannot be written ({error.strerror}); free space or choose another folder, then"
                " start again: those already done are kept"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Store:
    """What was prepared of many specimens, as one numbered sequence; the tables of `protocol.Material`.

    `index`: one row a number: patient_id, specimen_id, and what else is known of it. `specimens`: one row a specimen
    that was prepared: patient_id, specimen_id, key, … `failures`: one row a specimen that gave nothing: patient_id,
    specimen_id, row (of specimens.csv), error.
    """

    index: pd.DataFrame
    specimens: pd.DataFrame
    failures: pd.DataFrame

    def __len__(self) -> int:
        return len(self.index)

    def select(self, *, patient_ids: Iterable[str] | None = None, specimen_ids: Iterable[str] | None = None) -> Self:
        """The same store with these patients, or these specimens, only; in the store's own order."""
        tables = {name: getattr(self, name) for name in ("index", "specimens", "failures")}
        for column, wanted in (("patient_id", patient_ids), ("specimen_id", specimen_ids)):
            if wanted is not None:
                chosen = set(wanted)
                tables = {name: table[table[column].isin(chosen)] for name, table in tables.items()}
        return replace(self, **{name: table.reset_index(drop=True) for name, table in tables.items()})

    def rows(self, chosen: "np.ndarray | pd.Series[bool]") -> Self:
        """The same store with the rows of `index` where `chosen` (n,) is true only."""
        return replace(self, index=self.index[np.asarray(chosen, bool)].reset_index(drop=True))


def gather(
    keys: Mapping[Specimen, str], opened: Callable[[str], T | None], *, ledger: Ledger, wanted: str
) -> tuple[list[tuple[dict[str, Any], T]], pd.DataFrame]:
    """What was prepared, with patient_id, specimen_id and key of each, and a table of those that gave nothing.

    `opened` gives what lies under a key, None where nothing does. Raises NotAssessableError when nothing lies under
    any; `wanted` ends its sentence ("none of 3 slides gave a tile").
    """
    found, failures = [], []
    for specimen, key in keys.items():
        who = {"patient_id": specimen.patient_id, "specimen_id": specimen.specimen_id}
        there = opened(key)
        if there is None:
            reason = (ledger.error(key) or "no reason recorded").removeprefix("SpecimenError: ")
            failures.append(who | {"row": specimen.row, "error": reason})
        else:
            found.append((who | {"key": key}, there))
    lost = pd.DataFrame(failures, columns=["patient_id", "specimen_id", "row", "error"])
    if not found:
        first = f"; row {failures[0]['row']}: {failures[0]['error']}" if failures else ""
        raise NotAssessableError(f"none of {len(keys)} {wanted}{first}", failures=lost)
    return found, lost
