"""Runs: the locked models, what they found, and two of them compared."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from hepatica.serve import catalogue, run_facts
from hepatica.serve.api.answers import REFUSALS, Bench, Plain, Viewer
from hepatica.serve.api.results import page
from hepatica.serve.comparison import Compared, compare
from hepatica.serve.run_facts import RunFacts, facts_of

router = APIRouter(prefix="/api/v1", tags=["runs"], responses=REFUSALS)
Name = Annotated[Plain, Query(max_length=300)]
_PAGE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


class CohortFacts(BaseModel):
    """A cohort folder."""

    name: str


class Comparison(BaseModel):
    """Two runs: settings that differ, and the paired statistics of the patients that neither was trained on."""

    a: str
    b: str
    settings: dict[str, list[Any]] = Field(description="Of each setting that differs, its value in a and in b.")
    compared: list[Compared]
    note: str


@router.get("/runs")
def every(bench: Bench, user: Viewer) -> list[RunFacts]:
    """All runs: system, cohort, date, and metrics with their intervals."""
    return run_facts.every(bench.settings)


@router.get("/runs/compare")
def compared(a: Name, b: Name, bench: Bench, user: Viewer) -> Comparison:
    """Two runs of the same question: a minus b, on the same patients."""
    first, second = (catalogue.find_run(bench.settings, each) for each in (a, b))
    settings, found, note = compare(first, second)
    return Comparison(a=a, b=b, settings=settings, compared=found, note=note)


@router.get("/runs/{name}")
def one(name: Plain, bench: Bench, user: Viewer) -> RunFacts:
    """A run."""
    return facts_of(name, catalogue.find_run(bench.settings, name))


@router.get("/runs/{name}/report.html", response_class=Response, responses=_PAGE)
def report(name: Plain, bench: Bench, user: Viewer) -> Response:
    """The report of a run."""
    path = catalogue.find_run(bench.settings, name) / "report.html"
    bench.audit.record(user.name, "saw report of run", name)
    return page(path)


@router.get("/cohorts")
def cohorts(bench: Bench, user: Viewer) -> list[CohortFacts]:
    """All cohort folders."""
    return [CohortFacts(name=each) for each in catalogue.cohorts(bench.settings)]
