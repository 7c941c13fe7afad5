"""Health: whether the workbench can work, and its figures for Prometheus."""

import time
from collections import Counter

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from hepatica.serve.api.answers import REFUSALS, Bench, Viewer

router = APIRouter(tags=["health"], responses=REFUSALS)
_BEGUN = time.time()


class Health(BaseModel):
    """It can, or the request is answered by 503."""

    status: str


@router.get("/health")
def health(bench: Bench) -> Health:
    """Whether the database answers; asked without signing in."""
    bench.jobs.unfinished()
    return Health(status="ok")


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(bench: Bench, user: Viewer, request: Request) -> PlainTextResponse:
    """Jobs by kind and state, free disk, requests by status and their seconds, as Prometheus reads them."""
    requests = [f"{name} {count:g}" for name, count in sorted(request.app.state.requests.items())]
    states = Counter((each.kind, each.state) for each in bench.jobs.all())
    lines = ["# TYPE hepatica_jobs gauge"]
    lines += [f'hepatica_jobs{{kind="{kind}",state="{state}"}} {count}' for (kind, state), count in states.items()]
    lines += ["# TYPE hepatica_up_seconds gauge", f"hepatica_up_seconds {time.time() - _BEGUN:.0f}"]
    return PlainTextResponse("\n".join([*lines, *requests, ""]))
