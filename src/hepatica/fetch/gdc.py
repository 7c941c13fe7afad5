"""Gdc: ask the Genomic Data Commons of the National Cancer Institute, politely and to the end.

Shapes of questions and answers follow the GDC API User's Guide (https://docs.gdc.cancer.gov/API/Users_Guide).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

import httpx

from hepatica.cohort.errors import UnavailableError

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
    """A connection to the public archive, closed at the end."""
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
