"""Application: the workbench as one web application: its pages, its programming interface, its rules."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from hepatica.serve import api
from hepatica.serve.settings import Settings
from hepatica.serve.sign_in import require, set_cookie, workbench_of
from hepatica.serve.web.faults import Faults, catch_all
from hepatica.serve.web.headers import Headers
from hepatica.serve.web.limits import Attempts, Limits
from hepatica.serve.web.traffic import Traffic
from hepatica.serve.workbench import Workbench, open_workbench

LOG = logging.getLogger(__name__)

TIDY_S = 600.0
"""Seconds between two looks for what is to be removed."""

PASSWORDS = {"name": 10, "address": 100}
"""Passwords that may be tried in five minutes: for a name, and from an address, which a hospital may share."""


def create(settings: Settings) -> FastAPI:
    """The application; `app.state.workbench` is its `Workbench`."""
    app = FastAPI(
        title="hepatica",
        version=version("hepatica"),
        description="Submit cases to locked models, follow them, take their results. Research use only.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=_tidied,
    )
    app.state.workbench, app.state.requests = open_workbench(settings), Counter[str]()
    app.state.attempts = {of: Attempts(most=most, seconds=300) for of, most in PASSWORDS.items()}
    catch_all(app)
    app.add_middleware(Limits, largest=settings.largest_upload_bytes, longest_s=settings.longest_upload_s)
    if settings.hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts), www_redirect=False)
    app.add_middleware(Faults)
    app.add_middleware(Headers)
    app.add_middleware(Traffic)
    for router in [*api.routers, *_pages()]:
        app.include_router(router)
    if _is_there("hepatica.serve.node.stow"):
        node = import_module("hepatica.serve.node.stow")
        spool = import_module("hepatica.serve.node.spool").Spool(settings.data / "node" / "studies")
        app.include_router(node.router(spool), dependencies=[Depends(require("operator"))], include_in_schema=False)
    app.add_api_route("/enter", enter, include_in_schema=False)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def enter(request: Request, token: str = "") -> Response:
    """The link that `hepatica serve` prints: a session for its token, once."""
    response = RedirectResponse("/", status_code=303)
    workbench = workbench_of(request)
    set_cookie(request, response, workbench.accounts.accept(token))
    workbench.audit.record("local", "signed in")
    return response


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, with how to sign in."""
    if not app.openapi_schema:
        found = FastAPI.openapi(app)
        found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path, methods in found["paths"].items():
            for method, each in methods.items():
                if path != "/health" and (method, path) != ("post", "/api/v1/session"):
                    each["security"] = [{"token": []}]
    return app.openapi_schema or {}


@asynccontextmanager
async def _tidied(app: FastAPI) -> AsyncIterator[None]:
    """What is old is removed from time to time, as long as the application runs."""

    async def every() -> None:
        while True:
            await run_in_threadpool(tidy, app.state.workbench)
            await asyncio.sleep(TIDY_S)

    task = asyncio.create_task(every())
    yield
    task.cancel()
    app.state.workbench.viewers.close()
    app.state.workbench.database.close()


def tidy(workbench: Workbench) -> None:
    """Remove half uploads and cases that are older than the settings allow."""
    try:
        workbench.uploads.sweep()
        for case_id in workbench.cases.expire():
            workbench.audit.record("", "removed case after the time of retention", case_id)
    except Exception as error:  # its text may quote a row of the database
        LOG.error("what is old could not be removed (%s); it is tried again", type(error).__name__)


def _pages() -> list[APIRouter]:
    return list(import_module("hepatica.serve.pages").routers) if _is_there("hepatica.serve.pages") else []


def _is_there(module: str) -> bool:
    """Whether it is installed; its folder may be missing as well."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
