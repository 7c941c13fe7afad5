"""Gdc: ask the Genomic Data Commons of the National Cancer Institute, politely and to the end, and read its records.

Shapes of questions and answers follow the GDC API User's Guide (https://docs.gdc.cancer.gov/API/Users_Guide).
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

import httpx

from hepatica.cohort.errors import UnavailableError
from hepatica.cohort.remote import is_offline

API = "https://api.gdc.cancer.gov"
"""The public API; open-access data need no token."""

T = TypeVar("T")

_ATTEMPTS = 4
_BUSY = frozenset({429, 500, 502, 503, 504})
_AGAIN = "; check the network or proxy and run the same command again, downloaded files are kept"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Records that answer a question, and what the archive did not understand of it."""

    hits: Sequence[dict[str, Any]]
    warnings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Gdc:
    """A connection to the GDC; `pause` waits a number of seconds between attempts."""

    client: httpx.Client
    pause: Callable[[float], None] = time.sleep

    def release(self) -> str:
        """The data release the archive serves today, such as `Data Release 42.0 - January 30, 2025`."""
        answer = self._json("GET", "/status")
        return str(answer.get("data_release") or "not stated")

    def ask(self, endpoint: str, question: Mapping[str, Any], *, page: int = 100) -> Answer:
        """Every record that answers the question, asked page by page in the order of `question["sort"]`.

        UnavailableError when the archive cannot be reached, or its list changed while it was read.
        """
        found: dict[str, dict[str, Any]] = {}
        warnings: dict[str, Any] = {}
        start, total = 0, 1
        while start < total:
            data, warned = self._page(endpoint, {**question, "format": "JSON", "size": page, "from": start})
            warnings |= warned
            total = data["pagination"]["total"]
            found |= {hit["id"]: hit for hit in data["hits"]}
            if start < total and not data["hits"]:
                break
            start += len(data["hits"])
        if len(found) != total:
            raise UnavailableError(
                f"{API}/{endpoint}: got {len(found)} records of {total}; the list changed while it was read, run again"
            )
        return Answer(hits=list(found.values()), warnings=warnings)

    def patiently(self, act: Callable[[], T], *, progress: Callable[[], int] = lambda: 0) -> T:
        """What `act` returns, tried again with growing pauses after a passing fault.

        At most four faults in a row; a row begins anew whenever `progress` has grown. UnavailableError after that, and
        at once for a fault that waiting does not mend.
        """
        faults, reached = 0, progress()
        while True:
            try:
                return act()
            except httpx.HTTPError as error:
                faults = 1 if progress() > reached else faults + 1
                reached = max(reached, progress())
                if faults == _ATTEMPTS or not _passes(error):
                    raise UnavailableError(_why(error)) from error
            self.pause(2.0 ** (faults - 1))

    def _page(self, endpoint: str, body: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, Any]]:
        answer = self._json("POST", f"/{endpoint}", json=body)
        data, warnings = answer.get("data"), answer.get("warnings")
        if not isinstance(data, dict) or not _is_page(data):
            raise UnavailableError(f"{API}/{endpoint} returned a response of an unknown format; has its API changed?")
        return data, warnings if isinstance(warnings, dict) else {}

    def _json(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        def send() -> httpx.Response:
            return self.client.request(method, path, **content).raise_for_status()

        try:
            answer: Any = self.patiently(send).json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise UnavailableError(f"{API}{path} returned no JSON; is a proxy or log-in page in between?")
        return answer


@contextmanager
def open_gdc() -> Iterator[Gdc]:
    """A connection to the public archive, closed at the end; UnavailableError where --offline forbids it."""
    if is_offline():
        raise UnavailableError("data cannot be fetched with --offline, or with HF_HUB_OFFLINE=1; leave that out")
    headers = {"User-Agent": f"hepatica/{version('hepatica')}"}
    with httpx.Client(base_url=API, timeout=60, follow_redirects=True, headers=headers) as client:
        yield Gdc(client=client)


def all_of(**wanted: str | Sequence[str]) -> dict[str, Any]:
    """The GDC's filter for records whose fields have these values; a double underscore means a dot."""
    terms = [
        {
            "op": "in",
            "content": {"field": name.replace("__", "."), "value": [value] if isinstance(value, str) else value},
        }
        for name, value in wanted.items()
    ]
    return {"op": "and", "content": terms}


def _is_page(data: Mapping[str, Any]) -> bool:
    return (
        isinstance(data.get("hits"), list)
        and all(isinstance(hit, dict) and isinstance(hit.get("id"), str) for hit in data["hits"])
        and isinstance(data.get("pagination"), dict)
        and isinstance(data["pagination"].get("total"), int)
    )


def _passes(error: httpx.HTTPError) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _BUSY
    return isinstance(error, httpx.TransportError)


def _why(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.request.url} answered {error.response.status_code} {error.response.reason_phrase}{_AGAIN}"
    return f"{API} cannot be reached ({type(error).__name__}: {error}){_AGAIN}"


Record = Mapping[str, Any]
"""One JSON object of an answer: a case, a diagnosis, a follow-up."""

_NOT_REPORTED = frozenset(
    {"", "--", "'--", "not allowed to collect", "not applicable", "not available", "not reported", "unknown"}
)
_MOST_DAYS = 32872
"""Ninety years, the dictionary's own bound of every day (gdcdictionary, follow_up.yaml)."""


def records(parent: Record, name: str) -> list[Record]:
    """The records below `name`: a list of them, one alone, or none."""
    below = parent.get(name)
    return [each for each in (below if isinstance(below, list) else [below]) if isinstance(each, dict)]


def words(record: Record, name: str) -> list[str]:
    """The words or phrases recorded, one or a list of them, each on one line."""
    value = record.get(name)
    phrases = [" ".join(str(each).split()) for each in (value if isinstance(value, list) else [value]) if _plain(each)]
    return [each for each in phrases if each.lower() not in _NOT_REPORTED]


def text(record: Record, name: str) -> str:
    """The word or phrase recorded, several joined by semicolons; empty where the archive has none."""
    return "; ".join(words(record, name))


def yes(record: Record, name: str) -> bool:
    """Whether the answer is yes; the API says true and "true" of the same field."""
    return text(record, name).lower() in ("yes", "true")


def no(record: Record, name: str) -> bool:
    """Whether the answer is no, which is not the same as no answer."""
    return text(record, name).lower() in ("no", "false")


def number(record: Record, name: str) -> float | None:
    """A finite number of 0 or more; None where there is none."""
    value = _finite(record.get(name))
    return value if value is not None and value >= 0 else None


def day(record: Record, name: str) -> int | None:
    """A day counted from the index date, negative before it; None where there is none or it cannot be one."""
    value = _finite(record.get(name))
    return int(value) if value is not None and abs(value) <= _MOST_DAYS else None


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _finite(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
