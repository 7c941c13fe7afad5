"""Scores: the published calculators, with units and scope."""

from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from hepatica.clinical.quantities import COLUMNS, QUANTITIES
from hepatica.clinical.score import Score
from hepatica.clinical.scores import SCORES, score
from hepatica.serve.api.answers import REFUSALS, Plain, Viewer
from hepatica.serve.outcomes import plain
from hepatica.serve.refusals import NotFoundError

router = APIRouter(prefix="/api/v1/scores", tags=["scores"], responses=REFUSALS)
Name = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,80}$")]


class Needed(BaseModel):
    """A quantity that a score reads: a number in `unit`, or one of `levels`."""

    column: str
    unit: str
    levels: list[str]


class ShownScore(BaseModel):
    """A published score. `confirmed`: a public source other than the paper has the same."""

    name: str
    title: str
    scope: str
    unit: str
    paper: str
    doi: str
    evidence: str
    confirmed: bool
    needs: list[Needed]


class Given(BaseModel):
    """A value of each quantity; a missing one is left out or null."""

    values: dict[Plain, float | Plain | None] = Field(max_length=100)


class Calculated(BaseModel):
    """Columns of the score; null where an input is missing or the score is not defined."""

    name: str
    found: dict[str, Any]
    scope: str


def shown(found: Score) -> ShownScore:
    """What is said of a score."""
    needs = [
        Needed(column=each, unit=COLUMNS[each][1], levels=list(QUANTITIES[COLUMNS[each][0]].levels))
        for each in found.inputs
    ]
    names = ("name", "title", "scope", "unit", "paper", "doi", "evidence", "confirmed")
    return ShownScore(**{name: getattr(found, name) for name in names}, needs=needs)


@router.get("")
def every(user: Viewer) -> list[ShownScore]:
    """All scores and stages."""
    return [shown(each) for each in SCORES.values()]


@router.get("/{name}")
def one(name: Name, user: Viewer) -> ShownScore:
    """A score."""
    return shown(_find(name))


@router.post("/{name}")
def calculate(name: Name, asked: Given, user: Viewer) -> Calculated:
    """The score of one patient; nothing is stored."""
    found = _find(name)
    table = pd.DataFrame({each: [asked.values.get(each)] for each in found.inputs})
    return Calculated(name=name, found=plain(score(name, table))[0], scope=found.scope)


def _find(name: str) -> Score:
    if name not in SCORES:
        raise NotFoundError("there is no score of that name; ask for the list of them")
    return SCORES[name]
