"""Jobs: what is to be done once each, by any number of processes, whichever of them is killed."""

import json
import re
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from hepatica.cohort.errors import SettingsError, UnavailableError

State = Literal["waiting", "running", "done", "failed", "quarantined", "cancelled"]
"""`failed`: its work raised an error; `quarantined`: the processes that began it died, `ATTEMPTS` times."""

ATTEMPTS = 3
"""Deaths of its workers after which a job is set aside, lest one bad specimen stop every worker in turn."""

LEASE_S = 30.0
"""Seconds that a job stays with its worker after the last sign of life."""

PATIENCE_S = 300.0
"""Seconds that a worker waits for a database that does not answer, such as one that is started anew (ours)."""

_TABLE = """CREATE TABLE IF NOT EXISTS jobs (
    key TEXT PRIMARY KEY, place BIGINT NOT NULL, kind TEXT NOT NULL, given TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL, deaths INTEGER NOT NULL, worker TEXT NOT NULL, until DOUBLE PRECISION NOT NULL,
    progress DOUBLE PRECISION NOT NULL, result TEXT NOT NULL, error TEXT NOT NULL)"""
_ORDER = "CREATE INDEX IF NOT EXISTS jobs_in_order ON jobs (state, attempts, place)"
"""Without it, each claim would look at every job."""
_SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"
_COLUMNS = "key, kind, given, state, attempts, worker, progress, result, error"
_MINE = "key = :key AND state = 'running' AND worker = :worker AND attempts = :attempts"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row: `given` and `result` are what JSON holds, `progress` 0 to 1; `attempts` counts how often it was begun,
    and with `worker` says whose it is.
    """

    key: str
    kind: str
    given: dict[str, Any]
    state: State
    attempts: int
    worker: str
    progress: float
    result: Any
    error: str


class Jobs:
    """A table of jobs in an SQLite file, or in PostgreSQL by its URL, which any number of processes share.

    A job is leased to one worker at a time. Who lost the lease, because no sign of life came in time, can no longer
    finish the job: its result counts once. Times are those of the database, so that clocks of workers need not agree.
    A server that does not answer is asked again for `patience_s`.

    Raises SettingsError for a URL of another kind, UnavailableError without the package for it.
    """

    def __init__(self, where: Path | str, *, patience_s: float = 0) -> None:
        self.where, self._server, self._patience_s = where, isinstance(where, str) and "://" in where, patience_s
        self._now = "EXTRACT(EPOCH FROM clock_timestamp())" if self._server else _SQLITE_NOW
        if self._server and not str(where).startswith("postgresql://"):
            raise SettingsError(f"got the database {str(where).split('://')[0]}://…, wanted postgresql:// or a file")
        if not self._server:  # without a connection that stays, each one that closes would write all to the disk
            weakref.finalize(self, _in_file(Path(where)).close)
        with self._once() as run:
            if self._server:  # where two make it at once, "if not exists" fails
                run("SELECT pg_advisory_xact_lock(hashtext('hepatica_jobs'))")
            run(_TABLE)
            run(_ORDER)

    def add(self, kind: str, given: Mapping[str, Any], *, key: str | None = None) -> str:
        """Its key; a job that is there already, whatever its state, is left as it is.

        By default the key is the digest of both, so that the same request twice is one job.
        """
        return self.add_all([(kind, given)], keys=[key])[0]

    def add_all(
        self, wanted: Sequence[tuple[str, Mapping[str, Any]]], *, keys: Sequence[str | None] | None = None
    ) -> list[str]:
        """Several at once, as (kind, given): all of them or none."""
        texts = [(kind, json.dumps(given, sort_keys=True, allow_nan=False)) for kind, given in wanted]
        found = [
            key or sha256(f"{kind}\0{text}".encode()).hexdigest()[:32]
            for key, (kind, text) in zip(keys or [None] * len(texts), texts, strict=True)
        ]
        new = ":key, :place, :kind, :given, 'waiting', 0, 0, '', 0, 0, 'null', ''"
        with self._once() as run:
            last = int(run("SELECT COALESCE(MAX(place), 0) FROM jobs")[0][0])
            for place, (key, (kind, text)) in enumerate(zip(found, texts, strict=True), start=last + 1):
                run(
                    f"INSERT INTO jobs VALUES ({new}) ON CONFLICT (key) DO NOTHING",
                    key=key, place=place, kind=kind, given=text,
                )  # fmt: skip
        return found

    def claim(self, worker: str, *, lease_s: float = LEASE_S) -> Job | None:
        """The first job that waits, now leased to this one; none where there is none. Those that were begun before are
        begun last.

        Only deaths that someone saw (`release`) lead to quarantine: a lease is lost also where a machine was suspended
        or the database was away, which is no fault of the job.
        """
        lost = f"state = 'running' AND until < {self._now}"
        locked = "FOR UPDATE SKIP LOCKED" if self._server else ""
        first = f"SELECT key FROM jobs WHERE state = 'waiting' ORDER BY attempts, place LIMIT 1 {locked}"
        with self._once() as run:
            run(
                f"UPDATE jobs SET state = 'quarantined', error = :why WHERE {lost} AND deaths >= :most",
                most=ATTEMPTS, why=f"the process that did it died, {ATTEMPTS} times",
            )  # fmt: skip
            run(f"UPDATE jobs SET state = 'waiting' WHERE {lost}")
            found = run(
                f"UPDATE jobs SET state = 'running', attempts = attempts + 1, worker = :worker, progress = 0,"
                f" until = {self._now} + :lease WHERE key = ({first}) RETURNING {_COLUMNS}",
                worker=worker, lease=lease_s,
            )  # fmt: skip
        return next(map(_job, found), None)

    def beat(self, job: Job, *, progress: float | None = None, lease_s: float = LEASE_S) -> bool:
        """A sign of life, which renews the lease; False where the job is no longer this worker's, who must drop it."""
        return self._mine(
            job,
            f"until = {self._now} + :lease, progress = COALESCE(:progress, progress)",
            lease=lease_s,
            progress=progress,
        )

    def finish(self, job: Job, result: Any = None) -> bool:
        """Its result; False, and nothing is written, where the job is no longer this worker's."""
        text = json.dumps(result, allow_nan=False)
        return self._mine(job, "state = 'done', progress = 1, result = :result", result=text)

    def fail(self, job: Job, error: str) -> bool:
        """Why it cannot be done, which trying again would not change; False where it is no longer this worker's."""
        return self._mine(job, "state = 'failed', error = :error", error=error)

    def cancel(self, key: str) -> bool:
        """Whether it was waiting or running; its worker sees at the next `beat` that the job is no longer its own."""
        return self._change(key, "state = 'cancelled'", states=("waiting", "running"))

    def retry(self, key: str) -> bool:
        """Whether it had failed, was set aside or cancelled; it waits again, as if it had never been begun."""
        again = "state = 'waiting', attempts = 0, deaths = 0, error = ''"
        return self._change(key, again, states=("failed", "quarantined", "cancelled"))

    def release(self, worker: str) -> bool:
        """Whoever watches a worker says that it has died: its job, if it had one, need not wait for its lease's end."""
        with self._once() as run:
            held = "state = 'running' AND worker = :worker AND until > 0 RETURNING key"
            return bool(run(f"UPDATE jobs SET until = 0, deaths = deaths + 1 WHERE {held}", worker=worker))

    def give_back(self, worker: str) -> None:
        """Its jobs wait again as if it had not begun them: it was stopped from without, and they did not stop it."""
        again = "state = 'waiting', attempts = attempts - 1"
        with self._once() as run:
            run(f"UPDATE jobs SET {again} WHERE state = 'running' AND worker = :worker", worker=worker)

    def get(self, key: str) -> Job | None:
        """The job of this key."""
        with self._once(reading=True) as run:
            return next(map(_job, run(f"SELECT {_COLUMNS} FROM jobs WHERE key = :key", key=key)), None)

    def all(self, *, kind: str | None = None, state: State | None = None) -> list[Job]:
        """Every job, or those of a kind or in a state, in the order in which they were added."""
        wanted = {"kind": kind, "state": state}
        chosen = " AND ".join(f"{name} = :{name}" for name, each in wanted.items() if each) or "1 = 1"
        with self._once(reading=True) as run:
            return [_job(row) for row in run(f"SELECT {_COLUMNS} FROM jobs WHERE {chosen} ORDER BY place", **wanted)]

    def unfinished(self) -> int:
        """How many wait or run."""
        with self._once(reading=True) as run:
            return int(run("SELECT COUNT(*) FROM jobs WHERE state IN ('waiting', 'running')")[0][0])

    def _mine(self, job: Job, change: str, **values: Any) -> bool:
        who = {"key": job.key, "worker": job.worker, "attempts": job.attempts}
        with self._once() as run:
            return bool(run(f"UPDATE jobs SET {change} WHERE {_MINE} RETURNING key", **values, **who))

    def _change(self, key: str, change: str, *, states: Sequence[State]) -> bool:
        among = ", ".join(f"'{each}'" for each in states)
        with self._once() as run:
            return bool(run(f"UPDATE jobs SET {change} WHERE key = :key AND state IN ({among}) RETURNING key", key=key))

    def _connected(self) -> Any:
        if not self._server:
            return _in_file(Path(self.where))
        return _on_server(str(self.where), patience_s=self._patience_s)

    @contextmanager
    def _once(self, *, reading: bool = False) -> Iterator[Callable[..., list[Sequence[Any]]]]:
        """A function that runs statements, all of them or none; what it returns are rows. Who is `reading` waits for
        none who writes.
        """
        with closing(self._connected()) as connection:

            def run(statement: str, **values: Any) -> list[Sequence[Any]]:
                named = re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", statement) if self._server else statement
                cursor = connection.execute(named, values)
                return cursor.fetchall() if cursor.description else []

            if not self._server:
                connection.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
            yield run
            connection.commit()


def _job(row: Sequence[Any]) -> Job:
    key, kind, given, state, attempts, worker, progress, result, error = row
    return Job(
        key=key, kind=kind, given=json.loads(given), state=state, attempts=attempts, worker=worker,
        progress=progress, result=json.loads(result), error=error,
    )  # fmt: skip


def _in_file(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")  # who reads does not wait for who writes
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _on_server(url: str, *, patience_s: float) -> Any:
    try:
        import psycopg
    except ModuleNotFoundError as error:
        raise UnavailableError("PostgreSQL needs psycopg: pip install 'hepatica[serve]', or name a file.") from error
    until = time.monotonic() + patience_s
    while True:
        try:
            return psycopg.connect(url, connect_timeout=10)
        except psycopg.OperationalError:
            if time.monotonic() >= until:
                raise
            time.sleep(min(1, patience_s / 4))
