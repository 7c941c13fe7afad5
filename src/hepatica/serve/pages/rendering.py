"""Rendering: a page from its template, and what a browser is shown instead of one that cannot be had."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined

from hepatica.cohort.errors import HepaticaError
from hepatica.serve.accounts import User
from hepatica.serve.pages.assets import missing
from hepatica.serve.refusals import NotSignedInError, RefusalError
from hepatica.serve.sign_in import require, workbench_of
from hepatica.serve.workbench import Workbench

Bench = Annotated[Workbench, Depends(workbench_of)]
Viewer = Annotated[User, Depends(require("viewer"))]
Reader = Annotated[User, Depends(require("reader"))]
Operator = Annotated[User, Depends(require("operator"))]

SECTIONS = {
    "Drop": "/", "Cases": "/cases", "Runs": "/runs", "Cohorts": "/cohorts", "Reader study": "/reading",
    "Scores": "/scores",
}  # fmt: skip
"""The navigation of every page."""

STATES = {
    "waiting": "waiting", "running": "running", "done": "done", "failed": "failed", "quarantined": "set aside",
    "cancelled": "stopped",
}  # fmt: skip
"""States of a job as a page calls them."""

TEMPLATES = Environment(
    loader=PackageLoader("hepatica.serve.pages", "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=True,
)


def when(seconds: float) -> str:
    """Seconds since 1970 as 30 Nov 2026, 14:05 UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %b %Y, %H:%M UTC")


KINDS = {
    "slide": "slide", "ct": "CT", "mr": "MR", "ultrasound": "ultrasound", "spectrum": "spectrum", "clinical": "table",
    "genes": "table of genes",
}  # fmt: skip
"""What a model reads, as a page calls it."""

TEMPLATES.filters["when"] = when
TEMPLATES.filters["kind"] = lambda kind: " and ".join(KINDS.get(each, each) for each in kind.split("+"))
TEMPLATES.filters["state"] = lambda state: STATES[state]


def page(
    request: Request, template: str, /, *, user: User | None, assets: tuple[str, ...] = (), **context: Any
) -> HTMLResponse:
    """The page of a template; `assets` are files of static/vendor that it loads, of which it says what is missing."""
    wanted = ("htmx.min.js", *assets)
    lacking = missing(wanted)
    loaded = [name for name in wanted if name not in lacking]
    shown = {"sections": SECTIONS, "path": request.url.path, "user": user, "loaded": loaded, "lacking": lacking}
    return HTMLResponse(TEMPLATES.get_template(template).render(shown | context))


def part(template: str, /, **context: Any) -> HTMLResponse:
    """A piece of a page, which htmx puts in its place."""
    return HTMLResponse(TEMPLATES.get_template(template).render(context))


class PageRoute(APIRoute):
    """A route whose refusals and errors are pages, with the message and the way back."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI has it."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except HepaticaError as error:
                return refused(request, error)

        return handle


def refused(request: Request, error: HepaticaError) -> HTMLResponse:
    """The page that says why there is none."""
    status = error.status if isinstance(error, RefusalError) else 422
    sign_in = isinstance(error, NotSignedInError) and workbench_of(request).accounts.users
    response = page(request, "refused.html.jinja", user=None, message=str(error), sign_in=sign_in)
    response.status_code = status
    return response
