"""Scores: the published calculators, each with its units, scope and evidence; what is typed in is not stored."""

from typing import Any

import pandas as pd
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hepatica.clinical.quantities import COLUMNS, QUANTITIES, unit_key
from hepatica.clinical.score import Score
from hepatica.clinical.scores import SCORES, score
from hepatica.cohort.errors import HepaticaError
from hepatica.serve.outcomes import plain
from hepatica.serve.pages.rendering import PageRoute, Viewer, page
from hepatica.serve.refusals import NotFoundError

router = APIRouter(prefix="/scores", route_class=PageRoute, include_in_schema=False)


@router.get("")
def every(request: Request, user: Viewer) -> HTMLResponse:
    """All scores and stages."""
    return page(request, "scores.html.jinja", user=user, scores=SCORES.values())


@router.get("/{name}")
def one(request: Request, name: str, user: Viewer) -> HTMLResponse:
    """One calculator."""
    return _shown(request, find(name), user=user, given={})


@router.post("/{name}")
async def calculate(request: Request, name: str, user: Viewer) -> HTMLResponse:
    """Its result for the values of a form."""
    given = {str(key): str(value).strip() for key, value in (await request.form()).items()}
    return _shown(request, find(name), user=user, given=given)


def find(name: str) -> Score:
    """The score of that name; NotFoundError where there is none."""
    if name not in SCORES:
        raise NotFoundError("there is no score of that name")
    return SCORES[name]


def _shown(request: Request, found: Score, *, user: Any, given: dict[str, str]) -> HTMLResponse:
    fields = [field(column, given) for column in found.inputs]
    result, problem = dict[str, Any](), ""
    if given:
        try:
            result = calculated(found, fields)
        except HepaticaError as error:
            problem = str(error)
    shown: dict[str, Any] = {
        "score": found,
        "fields": fields,
        "result": result,
        "problem": problem,
        "asked": bool(given),
    }
    return page(request, "score.html.jinja", user=user, **shown)


def field(column: str, given: dict[str, str]) -> dict[str, Any]:
    """What a form asks for one input: its meaning, units of which one is chosen, or levels; and what was given."""
    name, unit = COLUMNS[column]
    quantity = QUANTITIES[name]
    chosen = given.get(f"{name}_unit", unit)
    return {
        "name": name, "meaning": quantity.meaning, "levels": list(quantity.levels), "units": list(quantity.units),
        "unit": chosen if chosen in quantity.units else unit, "value": given.get(name, ""),
    }  # fmt: skip


def calculated(found: Score, fields: list[dict[str, Any]]) -> dict[str, Any]:
    """The columns of the score, None where an input is missing; CohortError for a value that cannot be."""
    cells = {_column(each): [each["value"].replace(",", ".") or None] for each in fields}
    return plain(score(found.name, pd.DataFrame(cells)))[0]


def _column(each: dict[str, Any]) -> str:
    return f"{each['name']}_{unit_key(each['unit'])}" if each["unit"] else str(each["name"])
