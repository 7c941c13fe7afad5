"""Faults: how what goes wrong is answered: a status, a code for programs, a sentence for people, never a traceback."""

import logging
import sqlite3
from errno import EDQUOT, ENOSPC
from traceback import format_tb

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hepatica.cohort.errors import HepaticaError
from hepatica.serve.refusals import RefusalError

LOG = logging.getLogger(__name__)

OURS = "a fault of hepatica; its log has more"
AWAY = "the database is locked or away; try again in a moment"
FULL = "the disk is full; tell whoever runs this workbench"
_CODES = {400: "unreadable", 404: "not_found", 405: "wrong_method", 408: "too_slow", 413: "too_large"}


class Faults:
    """Answers what nothing else has caught; the log has its kind and where it arose, not its text, which may quote."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        begun = False

        async def seen(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, seen)
        except Exception as error:
            LOG.error("%s\n%s", type(error).__name__, "".join(format_tb(error.__traceback__)))
            if begun or scope["type"] != "http":
                raise
            await answer(500, "fault", OURS)(scope, receive, send)


def catch_all(app: FastAPI) -> None:
    """Answer every fault of a request, its data, the disk and the database."""
    app.add_exception_handler(HepaticaError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OSError, _system)
    for kind in (sqlite3.OperationalError, DBAPIError, PoolTimeoutError, *_of_psycopg()):
        app.add_exception_handler(kind, _away)


def answer(status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> Response:
    """As `api.answers.Refused` describes it."""
    return JSONResponse({"code": code, "message": message}, status_code=status, headers=headers)


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, RefusalError):
        return answer(error.status, error.code, str(error))
    return answer(422, "unusable", str(error))


async def _invalid(request: Request, error: Exception) -> Response:
    """Which fields are wrong and what was wanted; not what was sent."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found[:10])
    return answer(422, "invalid", said.encode("utf-8", "replace").decode())


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else ""
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return answer(status, _CODES.get(status, "refused"), detail, headers=headers)


async def _away(request: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and not _gone(error.orig):
        raise error
    if "disk is full" in str(error):
        return answer(507, "disk_full", FULL)
    LOG.warning("the database is away: %s", type(error).__name__)
    return answer(503, "away", AWAY, headers={"Retry-After": "5"})


async def _system(request: Request, error: Exception) -> Response:
    if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
        return answer(507, "disk_full", FULL)
    raise error


def _gone(error: BaseException | None) -> bool:
    return isinstance(error, (sqlite3.OperationalError, *_of_psycopg()))


def _of_psycopg() -> tuple[type[Exception], ...]:
    try:
        from psycopg import OperationalError
    except ModuleNotFoundError:
        return ()
    return (OperationalError,)
