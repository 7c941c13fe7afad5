"""Reading: the pages of reader studies: set one up, read the next case, take the table."""

import re
import time
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from hepatica.cohort import read_predictions
from hepatica.cohort.seal import unaltered
from hepatica.serve.accounts import User
from hepatica.serve.cases import Case
from hepatica.serve.catalogue import find_run
from hepatica.serve.outcomes import model_of as refuse_other_model
from hepatica.serve.pages.cases import VIEWERS, result_of
from hepatica.serve.pages.model import Model, model_of
from hepatica.serve.pages.rendering import Bench, Operator, PageRoute, page
from hepatica.serve.pages.rendering import Reader as ReaderUser
from hepatica.serve.pages.verdicts import Verdict, patients
from hepatica.serve.readers.blinding import studies_of
from hepatica.serve.readers.reading_study import Reading, Study, coming, new_id, table
from hepatica.serve.refusals import ConflictError, NotFoundError
from hepatica.serve.workbench import Workbench

router = APIRouter(prefix="/reading", route_class=PageRoute, include_in_schema=False)

CODE = re.compile(r"[A-Za-z0-9_-]{1,20}")
"""What a reader of a workbench without users calls themselves: a code, no name."""


@router.get("")
def every(request: Request, bench: Bench, user: ReaderUser) -> HTMLResponse:
    """The studies, and the cases of which a new one can be made."""
    studies = studies_of(bench)
    rows = [(each, studies.readers(each.study_id)) for each in studies.all()]
    asked = bench.cases.all() if user.may("operator") else []
    readable = [(case, verdict) for case in asked if (verdict := _verdict(bench, case))]
    users = bench.accounts.users
    return page(request, "reading.html.jinja", user=user, rows=rows, cases=readable, users=users)


@router.post("")
async def begin(request: Request, bench: Bench, user: Operator) -> RedirectResponse:
    """Set up a study of the cases whose truth was given."""
    form = await request.form()
    cases = {key[6:]: str(value) for key, value in form.items() if key.startswith("truth_") and value in ("0", "1")}
    study = await run_in_threadpool(_study, bench, form, cases)
    studies_of(bench).add(study)
    bench.audit.record(user.name, "began reader study", study.study_id)
    return RedirectResponse("/reading", status_code=303)


def _study(bench: Workbench, form: FormData, truth: dict[str, str]) -> Study:
    said = {case_id: _verdict(bench, bench.cases.get(case_id)) for case_id in truth}
    if any(each is None for each in said.values()):
        raise ConflictError("a case without a score cannot be read with the model; leave its truth empty")
    days = str(form.get("washout_days", "0"))
    if not re.fullmatch(r"\d{1,3}(\.\d+)?", days):
        raise ConflictError("got a washout that is no number of days, wanted 0 to 999")
    found = {case_id: each for case_id, each in said.items() if each is not None}
    return Study(
        study_id=new_id(),
        name=str(form.get("name", ""))[:80] or "Reader study",
        question=str(form.get("question", ""))[:200] or "Is it present?",
        washout_days=float(days),
        truth=truth,
        advice={case_id: "1" if each.group == "high" else "0" for case_id, each in found.items()},
        scores={case_id: round(100 * each.score, 1) for case_id, each in found.items()},
    )


def _verdict(bench: Workbench, case: Case) -> Verdict | None:
    """The first score of a case of one patient; None where none is to be shown, it is no risk with a cut-off, or its
    run is gone or holds another model by now.
    """
    if case.state != "done":
        return None
    try:
        model = _model(bench, case)
    except (ConflictError, NotFoundError):
        return None
    read = read_predictions(unaltered(case.result / "predictions.csv"))
    found = patients(read, specimens=read.iloc[:0], model=model, known=read.iloc[:0])
    verdicts = found[0].verdicts if len(found) == 1 else ()
    answered = verdicts and verdicts[0].cutoff is not None and 0 <= verdicts[0].score <= 1
    return verdicts[0] if answered else None


def _model(bench: Workbench, case: Case) -> Model:
    found = model_of(case.run, find_run(bench.settings, case.run))
    refuse_other_model(case, run=found.folder)
    return found


def reader_of(bench: Workbench, user: User, code: str) -> str:
    """Who reads: the user, or in a workbench without users the code that was given."""
    if bench.accounts.users:
        return user.name
    if not CODE.fullmatch(code):
        raise ConflictError("give a code of up to 20 letters and digits, such as R1")
    return code


@router.get("/{study_id}/next")
def following(request: Request, study_id: str, bench: Bench, user: ReaderUser, reader: str = "") -> HTMLResponse:
    """The next case of a reader, alone or with the model, or that they are done for now."""
    studies = studies_of(bench)
    study, name = studies.get(study_id), reader_of(bench, user, reader)
    found = coming(study, name, studies.readings(study_id, name))
    shown: dict[str, Any] = {"study": study, "reader": name, "next": found}
    if found is None or found.opens:
        return page(request, "pause.html.jinja", user=user, **shown)
    studies.begin(study_id, name)
    case = bench.cases.get(found.case)
    bench.audit.record(user.name, f"read case {found.arm}", case.case_id)
    kind, model = case.kind.split("+")[0], _model(bench, case)
    more = result_of(case, model) if found.arm == "aided" else _alone(result_of(case, model))
    about = {"case": case, "model": model, "kind": kind}
    return page(request, "read.html.jinja", user=user, assets=VIEWERS.get(kind, ()), **shown, **about, **more)


def _alone(result: dict[str, Any]) -> dict[str, Any]:
    """The same without anything that the model says."""
    keep = {"pictures": [], "geojson": "", "dicom": [], "notes": [], "answered": False}
    return {"patients": [], "specimens": [each | keep for each in result["specimens"]]}


@router.post("/{study_id}/call")
async def call(
    study_id: str,
    bench: Bench,
    user: ReaderUser,
    case: Annotated[str, Form()],
    session: Annotated[int, Form()],
    called: Annotated[str, Form(pattern="^[01]$")],
    score: Annotated[float, Form(ge=0, le=100)],
    seconds: Annotated[float, Form(ge=0, le=1e6)],
    reader: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Record a call, and go on to the next case."""
    studies, name = studies_of(bench), reader_of(bench, user, reader)
    found = coming(studies.get(study_id), name, studies.readings(study_id, name))
    if found is None:
        raise ConflictError("you have read every case of this study")
    reading = Reading(
        case=case, arm=found.arm, session=session, place=found.place, call=called, score=score, seconds=seconds,
        time=time.time(),
    )  # fmt: skip
    studies.record(study_id, name, reading)
    return RedirectResponse(f"/reading/{study_id}/next?reader={name}", status_code=303)


@router.get("/{study_id}/readers.csv")
def exported(study_id: str, bench: Bench, user: Operator) -> Response:
    """The table of all readings, for `hepatica readers`; it has the truth and the model's calls, which no reader is to
    know before they are done.
    """
    studies = studies_of(bench)
    study = studies.get(study_id)
    found = table(study, {name: studies.readings(study_id, name) for name in studies.readers(study_id)})
    headers = {"Content-Disposition": 'attachment; filename="readers.csv"'}
    return Response(found.to_csv(index=False, lineterminator="\n"), media_type="text/csv", headers=headers)
