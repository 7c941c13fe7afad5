"""Sign-in: the page on which a user of a workbench with users gives name and password."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hepatica.serve.pages.rendering import PageRoute, page

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/sign-in")
def sign_in(request: Request) -> HTMLResponse:
    """The form; the programming interface checks it."""
    return page(request, "sign_in.html.jinja", user=None)
