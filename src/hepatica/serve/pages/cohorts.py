"""Cohorts: what is in a cohort folder, what is wrong with it, and the jobs that train, validate and study on it."""

from typing import Any

import pandas as pd
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ValidationError

from hepatica.cohort import EvaluationError
from hepatica.cohort.endpoints import TimeToEvent
from hepatica.cohort.table import OF_TABLES, Cohort, examine_cohort
from hepatica.runs.jobs import Job
from hepatica.serve import catalogue
from hepatica.serve.api import jobs as jobs_api
from hepatica.serve.api.results import page as own_page
from hepatica.serve.pages.rendering import Bench, Operator, PageRoute, Viewer, page, part
from hepatica.serve.refusals import ConflictError
from hepatica.serve.work import log_of, page_of_check, tables_of
from hepatica.serve.workbench import Workbench
from hepatica.systems import listed

router = APIRouter(prefix="/cohorts", route_class=PageRoute, include_in_schema=False)

FAULTS = 30
"""Faults of tables that the page shows at once (ours); the quality control has them all."""

LEVELS = 8
"""Different values from which on a column of words is no group (ours)."""


@router.get("")
def every(request: Request, bench: Bench, user: Viewer) -> HTMLResponse:
    """All cohort folders."""
    return page(request, "cohorts.html.jinja", user=user, names=list(catalogue.cohorts(bench.settings)))


@router.get("/{name}")
def one(request: Request, name: str, bench: Bench, user: Viewer) -> HTMLResponse:
    """A cohort: follow-up, patients at baseline, faults of its tables, and its jobs."""
    from hepatica.studies import study_names  # brings torch; a server starts without it

    cohort, faults = examine_cohort(catalogue.find_cohort(bench.settings, name))
    bench.audit.record(user.name, "saw cohort", name)
    shown: dict[str, Any] = {
        "name": name,
        "faults": faults.sentences(of_all=FAULTS, of_a_column=FAULTS),
        "cohort": cohort,
    }
    if cohort is not None:
        runs = [run for run, path in catalogue.runs(bench.settings).items() if (path / "model.json").is_file()]
        shown |= {"endpoints": endpoints(cohort), "baseline": baseline(cohort), "systems": systems(cohort)}
        shown |= {"runs": runs, "studies": study_names()}
    return page(request, "cohort.html.jinja", user=user, jobs=jobs_of(bench, name), **shown)


def endpoints(cohort: Cohort) -> dict[str, tuple[str, dict[str, Any] | None]]:
    """Events and follow-up, classes or values of each endpoint, in a line; and of follow-up its curve."""
    return {
        name.replace("_", " "): (cohort.summary(each), _curve(cohort, each) if isinstance(each, TimeToEvent) else None)
        for name, each in cohort.endpoints.items()
    }


def _curve(cohort: Cohort, endpoint: TimeToEvent) -> dict[str, Any] | None:
    """The event-free share of the patients over months, as a path in a picture of 300 x 100, and its last month."""
    from hepatica.evaluate import kaplan_meier  # brings statistics; a server starts without them

    time, event = cohort.patients[endpoint.time], cohort.patients[endpoint.event]
    try:
        found = kaplan_meier(time, event=event == 1)
    except EvaluationError:
        return None
    last = float(time.max()) or 1.0
    steps = (f"H{300 * x / last:.1f}V{100 * (1 - y):.1f}" for x, y in zip(found.time, found.survival, strict=True))
    return {"path": f"M0,0{''.join(steps)}H300", "months": f"{last:.0f}", "n": int(time.notna().sum())}


def baseline(cohort: Cohort) -> list[tuple[str, str, int]]:
    """Columns of patients of no endpoint: median and quartiles, or counts of levels; and how many are known."""
    from hepatica.report.page.wording import column  # brings statistics; a server starts without them

    followed = {each for endpoint in cohort.endpoints.values() for each in endpoint.columns}
    rows = []
    for name, values in cohort.patients.items():
        if name not in followed and (text := _described(values)):
            rows.append((column(str(name)), text, int(values.notna().sum())))
    return rows


def _described(values: pd.Series) -> str:
    from hepatica.report.page.wording import level, quartiles, share  # brings statistics; a server starts without them

    known = values.dropna()
    if set(known.unique()) <= {0, 1} and len(known):
        return share(int(known.sum()), len(known))
    if pd.api.types.is_numeric_dtype(known) and known.nunique() > 0:
        return quartiles(known)
    counts = known.value_counts()
    if not 0 < len(counts) <= LEVELS:
        return ""
    return ", ".join(f"{level(name)} {share(int(count), len(known))}" for name, count in counts.items())


def systems(cohort: Cohort) -> list[str]:
    """Systems that read what the cohort has."""
    have = {*(each.modality for each in cohort.specimens), OF_TABLES[0], *(OF_TABLES if cohort.tables else ())}
    return [name for name, each in listed().items() if set(each.modality.split("+")) <= have]


def jobs_of(bench: Workbench, name: str) -> list[dict[str, Any]]:
    """The jobs on a cohort, the newest first, with the end of their logs."""
    own = [each for each in bench.jobs.all() if each.given.get("cohort") == name]
    return [_job(bench, each) for each in reversed(own)]


def _job(bench: Workbench, job: Job) -> dict[str, Any]:
    lines = log_of(bench.settings, job)[-12:]
    said = [" ".join([str(each.get("time", "")), str(each.get("event", "")), *_facts(each)]) for each in lines]
    ended, again = job.state not in ("waiting", "running"), job.state in ("failed", "quarantined", "cancelled")
    return {"job": job, "log": said, "ended": ended, "again": again}


def _facts(line: dict[str, Any]) -> list[str]:
    return [f"{name} {value}" for name, value in line.items() if name not in ("time", "event")]


@router.get("/{name}/jobs")
def progress(name: str, bench: Bench, user: Viewer) -> HTMLResponse:
    """The list of jobs, which the page asks for from time to time."""
    catalogue.find_cohort(bench.settings, name)
    return part("jobs.html.jinja", name=name, jobs=jobs_of(bench, name), user=user)


@router.get("/{name}/checking")
def checking(name: str, bench: Bench, user: Viewer) -> HTMLResponse:
    """The frame of that page, or how far a worker is with it, whom the first to ask sets to work."""
    given, job = _of_check(bench, name), None
    if not page_of_check(bench.settings, given).is_file():
        done = sum(each.given["tables"] == given["tables"] for each in bench.jobs.all(kind="check", state="done"))
        job = bench.jobs.get(bench.jobs.add("check", given | {"again": done}))  # its page may have been removed since
    return part("checking.html.jinja", name=name, job=job)


@router.get("/{name}/check")
def checked(name: str, bench: Bench, user: Viewer) -> Response:
    """The page of `hepatica check`: faults, follow-up, thumbnails with outlines, what can be trained."""
    found = own_page(page_of_check(bench.settings, _of_check(bench, name)))
    bench.audit.record(user.name, "saw check of cohort", name)
    return found


def _of_check(bench: Workbench, name: str) -> dict[str, str]:
    """What the job is given: the tables by their digest, for others make another page."""
    return {"cohort": name, "tables": tables_of(catalogue.find_cohort(bench.settings, name))}


ASKED: dict[str, type[BaseModel]] = {
    "train": jobs_api.Training, "validate": jobs_api.Validation, "study": jobs_api.Study,
}  # fmt: skip


@router.post("/{name}/start/{kind}")
async def start(request: Request, name: str, kind: str, bench: Bench, user: Operator) -> RedirectResponse:
    """Begin a training, a validation or a study, as the programming interface does."""
    if kind not in ASKED:
        raise ConflictError(f"got {kind}, wanted one of {', '.join(ASKED)}")
    form = await request.form()
    given = {key: str(value) for key, value in form.items() if key in ASKED[kind].model_fields and value != ""}
    try:
        asked = ASKED[kind].model_validate(given | {"cohort": name})
    except ValidationError as error:
        wrong = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
        raise ConflictError(f"the form has faults: {wrong}") from None
    await run_in_threadpool(getattr(jobs_api, kind), asked, bench, user)
    return RedirectResponse(f"/cohorts/{name}#jobs", status_code=303)


@router.post("/{name}/jobs/{key}/{what}")
def change(name: str, key: str, what: str, bench: Bench, user: Operator) -> RedirectResponse:
    """Stop a job, or let it go on where it was."""
    if what not in ("cancel", "retry"):
        raise ConflictError(f"got {what}, wanted cancel or retry")
    getattr(jobs_api, what)(key, bench, user)
    return RedirectResponse(f"/cohorts/{name}#jobs", status_code=303)
