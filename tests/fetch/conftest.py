"""A small GDC that answers from tests/fetch/answers; its answers are written by hand, not recorded live."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from hepatica.fetch.gdc import API, Gdc

ANSWERS = Path(__file__).parent / "answers"
PAGE = 3  # the archive gives at most so many records at once, whatever it is asked for


def body(file_id: str) -> bytes:
    """The bytes whose size and md5 stand in answers/tcga_lihc.json."""
    return (file_id * 2000).encode()


class Broken(httpx.SyncByteStream):
    """A stream that gives some bytes and then fails."""

    def __init__(self, sent: bytes, error: BaseException) -> None:
        self.sent, self.error = sent, error

    def __iter__(self) -> Iterator[bytes]:
        yield self.sent
        raise self.error


@dataclass
class Archive:
    """`faults` are met first, one a request: an error is raised, a response given, None passes."""

    lists: dict[str, list[dict[str, Any]]]
    faults: list[BaseException | httpx.Response | None] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    ranges: bool = True
    bodies: dict[str, bytes] = field(default_factory=dict)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, BaseException):
            raise fault
        if fault is not None:
            return fault
        kind, _, name = request.url.path.strip("/").partition("/")
        if kind == "status":
            return httpx.Response(200, content=(ANSWERS / "status.json").read_bytes())
        return self.data(request, name) if kind == "data" else self.page(request, kind)

    def page(self, request: httpx.Request, kind: str) -> httpx.Response:
        wanted = json.loads(request.content)
        found = self.lists["mutations" if "Masked Somatic Mutation" in request.content.decode() else kind]
        hits = found[wanted["from"] : wanted["from"] + min(wanted["size"], PAGE)]
        pagination = {"count": len(hits), "total": len(found), "size": wanted["size"], "from": wanted["from"]}
        return httpx.Response(200, json={"data": {"hits": hits, "pagination": pagination}, "warnings": {}})

    def data(self, request: httpx.Request, name: str) -> httpx.Response:
        whole, wanted = self.bodies.get(name, body(name)), request.headers.get("Range")
        if not (wanted and self.ranges):
            return httpx.Response(200, stream=httpx.ByteStream(whole))
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        told = {"Content-Range": f"bytes {start}-{len(whole) - 1}/{len(whole)}"}
        return httpx.Response(206, stream=httpx.ByteStream(whole[start:]), headers=told)

    def paths(self) -> list[str]:
        return [request.url.path for request in self.asked]


@pytest.fixture
def archive() -> Archive:
    answers = json.loads((ANSWERS / "tcga_lihc.json").read_text())
    return Archive(lists={"cases": answers["cases"], "files": answers["files"]})


SOLID = {"tissue_type": "Tumor", "tumor_descriptor": "Primary", "specimen_type": "Solid Tissue"}


@pytest.fixture
def newest(archive: Archive) -> Archive:
    """The same answers, by hand, without the properties that API 8.3 and 8.5 dropped: what moved is where it is now."""
    for file in archive.lists["files"]:
        file["cases"][0]["samples"] = [dict(SOLID)]
    for case in archive.lists["cases"]:
        case["demographic"].pop("gender", None)
        for diagnosis in case["diagnoses"]:
            moved = {name: diagnosis.pop(name, None) for name in ("days_to_recurrence", "progression_or_recurrence")}
            last = diagnosis.pop("days_to_last_follow_up", None)
            if last is not None or any(moved.values()):
                case["follow_ups"].append({"days_to_follow_up": last, **moved})
    return archive


@pytest.fixture
def gdc(archive: Archive) -> Iterator[Gdc]:
    with httpx.Client(base_url=API, transport=httpx.MockTransport(archive.answer)) as client:
        yield Gdc(client=client, pause=archive.waited.append)


@pytest.fixture
def broken() -> type[Broken]:
    return Broken
