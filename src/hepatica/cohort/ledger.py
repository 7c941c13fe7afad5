"""Ledger: what happened to each specimen, attempt by attempt, so that no failure stops a cohort or vanishes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.errors import HepaticaError


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
