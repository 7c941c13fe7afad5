"""Cases: submit files to a locked model, follow the case, remove it."""

import shutil
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from hepatica.runs.jobs import State
from hepatica.serve.accounts import User
from hepatica.serve.api.answers import REFUSALS, Bench, Id, Operator, Plain, Reader, Viewer
from hepatica.serve.cases import Case
from hepatica.serve.file_names import safe_name
from hepatica.serve.refusals import ConflictError, UnreadableError
from hepatica.serve.workbench import Workbench

router = APIRouter(prefix="/api/v1/cases", tags=["cases"], responses=REFUSALS)


class Submission(BaseModel):
    """Uploads that are one case. `label` is your own word for it: no name of a patient."""

    run: Plain = Field(max_length=300)
    uploads: list[str] = Field(min_length=1, max_length=4000)
    label: Plain = Field("", max_length=100)


class Shown(BaseModel):
    """A case. `state`, `progress` (0 to 1) and `error` are of its job; `created` are seconds since 1970, UTC."""

    case_id: str
    run: str
    kind: str
    state: State
    progress: float
    error: str
    created: float
    label: str


def shown(case: Case) -> Shown:
    """What is said of a case."""
    names = ("case_id", "run", "kind", "state", "progress", "error", "created")
    return Shown(**{name: getattr(case, name) for name in names}, label=case.origin.get("label", ""))


@router.post("", status_code=201)
def submit(asked: Submission, bench: Bench, user: Reader) -> Shown:
    """Submit uploads as one case; the same request, or the same files and model, again are the same case."""
    uploads = [bench.uploads.get(user.name, each) for each in dict.fromkeys(asked.uploads)]
    done = {each.case_id for each in uploads}
    if len(done) == 1 and done != {""}:
        case = bench.cases.get(done.pop())
        if case.run != asked.run:
            raise ConflictError(
                f"these uploads went into a case of the run {case.run} already; send the files again for another run"
            )
        return shown(case)
    staged = bench.uploads.staged(uploads)
    try:
        files = sorted(staged.iterdir())
        case = bench.cases.submit(
            files[0] if len(files) == 1 else staged, run=asked.run, owner=user.name, origin={"label": asked.label}
        )
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    bench.uploads.submitted(uploads, case_id=case.case_id)
    bench.audit.record(user.name, "submitted case", case.case_id)
    return shown(case)


_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file", "run"],
    "properties": {"file": {"type": "string", "format": "binary"}, "run": {"type": "string", "maxLength": 300}},
}
_BODY = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}


@router.post("/file", status_code=201, openapi_extra=_BODY)
async def submit_file(bench: Bench, user: Reader, request: Request) -> Shown:
    """Submit one file in one request, as a form: for small files and for curl."""
    async with request.form(max_files=1, max_fields=5) as form:  # read here, once it is known who sends it
        file, run = form.get("file"), form.get("run")
        if not isinstance(file, UploadFile) or not isinstance(run, str):
            raise UnreadableError("got a form without a file or without a run, wanted the fields file and run")
        return await run_in_threadpool(_submitted, bench, user, file, run)


def _submitted(bench: Workbench, user: User, file: UploadFile, run: str) -> Shown:
    bench.uploads.refuse_full(file.size or 0)
    place = bench.uploads.folder / f"staged_{uuid4().hex}"
    place.mkdir(parents=True)
    try:
        path = place / safe_name(file.filename or "")
        with path.open("wb") as written:
            shutil.copyfileobj(file.file, written)
        case = bench.cases.submit(path, run=run, owner=user.name)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    bench.audit.record(user.name, "submitted case", case.case_id)
    return shown(case)


@router.get("")
def every(bench: Bench, user: Viewer) -> list[Shown]:
    """All cases, the newest first."""
    return [shown(each) for each in bench.cases.all()]


@router.get("/{case_id}")
def one(case_id: Id, bench: Bench, user: Viewer) -> Shown:
    """A case and how far it is."""
    return shown(bench.cases.get(case_id))


@router.delete("/{case_id}", status_code=204)
def remove(case_id: Id, bench: Bench, user: Operator) -> Response:
    """Remove a case with its files and results."""
    bench.cases.delete(case_id)
    bench.audit.record(user.name, "removed case", case_id)
    return Response(status_code=204)
