"""Application: the workbench as one web application: its pages, its programming interface, its rules."""

from importlib.util import find_spec

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from hepatica.cohort.errors import HepaticaError
from hepatica.serve import api
from hepatica.serve.headers import Headers
from hepatica.serve.refusals import Refusal
from hepatica.serve.settings import Settings
from hepatica.serve.sign_in import set_cookie, workbench_of
from hepatica.serve.workbench import open_workbench


def create(settings: Settings) -> FastAPI:
    """The application; `app.state.workbench` is its `Workbench`."""
    app = FastAPI(title="hepatica", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    app.state.workbench = open_workbench(settings)
    app.add_exception_handler(HepaticaError, _refused)
    app.add_middleware(Headers)
    for router in [*api.routers, *_pages()]:
        app.include_router(router)
    app.add_api_route("/enter", enter, include_in_schema=False)
    return app


def enter(request: Request, token: str = "") -> Response:
    """The link that `hepatica serve` prints: a session for its token, once."""
    response = RedirectResponse("/", status_code=303)
    set_cookie(request, response, workbench_of(request).accounts.accept(token))
    return response


def _pages() -> list[api.APIRouter]:
    if find_spec("hepatica.serve.pages") is None:
        return []
    from importlib import import_module

    return list(import_module("hepatica.serve.pages").routers)


async def _refused(request: Request, error: Exception) -> Response:
    status, code = (error.status, error.code) if isinstance(error, Refusal) else (422, "unusable")
    return JSONResponse({"code": code, "message": str(error)}, status_code=status)
