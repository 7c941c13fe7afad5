"""Stow: DICOM files that come by the web (STOW-RS), into the same spool as those of C-STORE."""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.serve.node.multipart import Parts
from hepatica.serve.node.received import Received, of_file
from hepatica.serve.node.receiver import MISMATCH, NO_SPACE, NOT_UNDERSTOOD, room
from hepatica.serve.node.settings import FREE_GIB, LARGEST_GIB, NodeSettings
from hepatica.serve.node.spool import Spool

LOG = logging.getLogger(__name__)

PATIENCE_S = 60
"""Seconds that a sender may be silent. Ours."""

SHORTEST_TOKEN = 16
"""Characters. Ours."""


def router(spool: Spool, *, largest_gib: float = LARGEST_GIB, free_gib: float = FREE_GIB) -> APIRouter:
    """POST /dicom-web/studies and /dicom-web/studies/UID; whoever includes it must check who sends.

    `largest_gib` is what one object may have, `free_gib` the space on the disk below which nothing is taken. A node
    that runs on the same folder gives the studies to models.
    """
    found = APIRouter(prefix="/dicom-web", tags=["DICOMweb"])

    async def store(request: Request, study: str | None = None) -> Response:
        outcome, largest = _Outcome(), int(largest_gib * 2**30)
        try:
            parts = Parts(request.headers.get("content-type", ""), largest=largest)
        except SpecimenError as error:
            raise HTTPException(415, str(error)) from None
        try:
            async for chunk in _chunks(request):
                for piece in parts.feed(chunk):
                    await run_in_threadpool(_keep, piece, study, outcome, spool=spool, free_gib=free_gib)
            parts.end()
        except SpecimenError as error:
            raise HTTPException(400, str(error)) from None
        LOG.info("STOW-RS: %d taken, %d refused", len(outcome.stored), len(outcome.failed) + outcome.unknown)
        return outcome.answer()

    found.add_api_route("/studies", store, methods=["POST"], summary="Store DICOM files")
    found.add_api_route("/studies/{study}", store, methods=["POST"], summary="Store DICOM files of a study")
    return found


def application(settings: NodeSettings, spool: Spool) -> FastAPI:
    """A server of its own for it, where the workbench is none: a token is asked for, and /health answers."""
    if settings.stow is None:
        raise SettingsError("got no [stow] in the settings; add port and token")
    token = settings.stow.token.read_text(encoding="ascii").strip() if settings.stow.token.is_file() else ""
    if len(token) < SHORTEST_TOKEN:
        raise SettingsError(f"{settings.stow.token} has no token of {SHORTEST_TOKEN} characters or more; write one")
    app = FastAPI(title="hepatica node", docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Any:
        given = request.headers.get("authorization", "")
        known = hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
        if request.url.path == "/health":
            return JSONResponse({"status": "ok"})
        return await call_next(request) if known else JSONResponse({"detail": "send the token"}, status_code=401)

    app.include_router(router(spool, largest_gib=settings.largest_gib, free_gib=settings.free_gib))
    return app


@dataclass
class _Outcome:
    """What became of the pieces: objects stored, objects refused with a status, and how many could not be read."""

    stored: list[Received] = field(default_factory=list)
    failed: list[tuple[Received, int]] = field(default_factory=list)
    unknown: int = 0

    def answer(self) -> Response:
        """As PS3.18 10.5.3 has it: 200 all, 202 some, 409 none."""
        content: dict[str, Any] = {}
        if self.stored:
            content["00081199"] = _sequence([_reference(each) for each in self.stored])
        if self.failed:
            content["00081198"] = _sequence([_reference(each) | _reason(why) for each, why in self.failed])
        if self.unknown:
            content["0008119A"] = _sequence([_reason(NOT_UNDERSTOOD)] * self.unknown)
        lost = bool(self.failed or self.unknown)
        status = (202 if self.stored else 409) if lost else 200
        return JSONResponse(content, status_code=status, media_type="application/dicom+json")


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(PATIENCE_S):
                yield await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise HTTPException(408, "nothing came for too long; send it again") from None


def _keep(piece: bytes, study: str | None, outcome: _Outcome, *, spool: Spool, free_gib: float) -> None:
    """Store one piece and note what became of it."""
    try:
        found = of_file(piece)
    except SpecimenError as error:
        LOG.warning("STOW-RS: refused an object: %s", error)
        outcome.unknown += 1
        return
    try:
        if study not in (None, found.study):
            outcome.failed.append((found, MISMATCH))
        elif not room(spool, free_gib=free_gib):
            raise OSError("the disk is full")
        else:
            spool.store(found)
            outcome.stored.append(found)
    except OSError as error:
        LOG.error("STOW-RS: refused an object, it cannot be written (%s)", error.strerror or "the disk is full")
        outcome.failed.append((found, NO_SPACE))


def _reference(each: Received) -> dict[str, Any]:
    return {"00081150": _element("UI", each.sop_class), "00081155": _element("UI", each.instance)}


def _reason(status: int) -> dict[str, Any]:
    return {"00081197": _element("US", status)}


def _element(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


def _sequence(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"vr": "SQ", "Value": list(items)}
