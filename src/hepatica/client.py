"""Client: submit cases to a workbench from Python, follow them, take their results.

from hepatica.client import Client

with Client("https://workbench.hospital", token="…") as client:
    case = client.submit("new.svs", run="my_run")
    client.wait(case["case_id"])
    client.result(case["case_id"])["rows"]
"""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from hepatica.cohort.errors import HepaticaError, UnavailableError

TRIES = 5
"""Times that a request is sent which broke or found the workbench away."""

PAUSE_S = 0.5
ENDED = ("done", "failed", "quarantined", "cancelled")


class WorkbenchError(HepaticaError):
    """A request that the workbench refused; `status` is that of HTTP, `code` the workbench's word for why."""

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Client:
    """A workbench at `url`, asked with a token that was made on its page or by its interface."""

    def __init__(self, url: str, *, token: str, timeout_s: float = 60.0, verify: bool | str = True) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/", headers=headers, timeout=timeout_s, verify=verify
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def submit(self, files: str | Path | Sequence[str | Path], *, run: str, label: str = "") -> dict[str, Any]:
        """The case of these files, which are sent in pieces; sent before, they are the same case.

        A connection that breaks is taken up where it was. WorkbenchError where the workbench refuses them.
        """
        paths = [Path(files)] if isinstance(files, str | Path) else [Path(each) for each in files]
        uploads = [self._upload(path) for path in paths]
        return dict(self._json("POST", "cases", json={"run": run, "uploads": uploads, "label": label}))

    def case(self, case_id: str) -> dict[str, Any]:
        """State, progress and error of a case."""
        return dict(self._json("GET", f"cases/{case_id}"))

    def cases(self) -> list[dict[str, Any]]:
        """All cases, the newest first."""
        return list(self._json("GET", "cases"))

    def wait(self, case_id: str, *, longest_s: float = 3600.0) -> dict[str, Any]:
        """The case once it has ended; UnavailableError after `longest_s`."""
        until = time.monotonic() + longest_s
        while (found := self.case(case_id))["state"] not in ENDED:
            if time.monotonic() > until:
                raise UnavailableError(f"the case is {found['state']} after {longest_s:g} s; ask again later")
            time.sleep(PAUSE_S)
        return found

    def events(self, key: str) -> Iterator[dict[str, Any]]:
        """State, progress and error of a case or job, whenever they change, until it has ended."""
        with self._http.stream("GET", f"jobs/{key}/events", timeout=None) as response:
            _refuse(response)
            for line in response.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def result(self, case_id: str) -> dict[str, Any]:
        """Scores with cut-offs, applicability, the model, and where its own patients lie."""
        return dict(self._json("GET", f"cases/{case_id}/result"))

    def download(self, case_id: str, what: str, *, to: str | Path) -> Path:
        """Save predictions.csv, overlay.geojson, dicom.zip or report.html of a case as the file `to`."""
        path = Path(to)
        path.write_bytes(self._send("GET", f"cases/{case_id}/{what}").content)
        return path

    def remove(self, case_id: str) -> None:
        """Remove a case with its files and results."""
        self._send("DELETE", f"cases/{case_id}")

    def runs(self) -> list[dict[str, Any]]:
        """All runs with their metrics."""
        return list(self._json("GET", "runs"))

    def _upload(self, path: Path) -> str:
        with path.open("rb") as file:
            digest, size = hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
            found = self._json("POST", "uploads", json={"name": path.name, "size": size, "sha256": digest})
            while found["received"] < size:
                file.seek(found["received"])
                if not (piece := file.read(min(found["piece"], 2**23))):
                    raise UnavailableError(
                        "the file became shorter while it was sent; submit it again once it is whole"
                    )
                found = self._piece(found, piece)
        return str(found["upload_id"])

    def _piece(self, found: dict[str, Any], piece: bytes) -> dict[str, Any]:
        """How far it is after one more piece, or, where a try before has got through, without it."""
        where, headers = f"uploads/{found['upload_id']}", {"upload-offset": str(found["received"])}
        for tried in range(TRIES):
            try:
                return dict(self._json("PATCH", where, content=piece, headers=headers))
            except WorkbenchError as error:
                if error.status != 409 or tried == TRIES - 1:
                    raise
                now = dict(self._json("GET", where))
                if now["received"] != found["received"]:
                    return now
                time.sleep(PAUSE_S * 2**tried)  # the workbench has not yet seen that an earlier connection broke
        raise AssertionError

    def _json(self, method: str, path: str, **sent: Any) -> Any:
        return self._send(method, path, **sent).json()

    def _send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """The answer; a request that broke, or came while the workbench was away, is sent again: all may be."""
        for tried in range(TRIES):
            try:
                response = self._http.request(method, path, **sent)
            except httpx.TransportError as error:
                if tried == TRIES - 1:
                    raise UnavailableError(f"the workbench does not answer ({type(error).__name__})") from error
            else:
                if response.status_code != 503 or tried == TRIES - 1:
                    _refuse(response)
                    return response
            time.sleep(PAUSE_S * 2**tried)
        raise AssertionError


def _refuse(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    try:
        said = response.json()
    except ValueError:
        said = {}
    message = said.get("message", f"the workbench answered {response.status_code}")
    raise WorkbenchError(message, status=response.status_code, code=said.get("code", ""))
