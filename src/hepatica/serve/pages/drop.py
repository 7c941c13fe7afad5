"""Drop: the first page: files go in, a model is chosen, a case begins."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hepatica.serve import run_facts
from hepatica.serve.pages.rendering import Bench, PageRoute, Viewer, page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SHOWN = 5
"""Cases listed beside it (ours)."""


@router.get("/")
def drop(request: Request, bench: Bench, user: Viewer) -> HTMLResponse:
    """The models that are locked, and the newest cases."""
    every = run_facts.every(bench.settings)
    models = [each for each in every if each.digest]
    largest = bench.settings.largest_upload_bytes / 2**30
    newest = bench.cases.all()[:SHOWN]
    return page(request, "drop.html.jinja", user=user, models=models, largest=largest, newest=newest)
