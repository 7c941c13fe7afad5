"""Cases: submit files to a locked model, follow the case, take its result."""

import shutil
from pathlib import PurePath
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, UploadFile

from hepatica.serve.accounts import User
from hepatica.serve.cases import Case
from hepatica.serve.sign_in import require, workbench_of
from hepatica.serve.workbench import Workbench

router = APIRouter(prefix="/api/v1", tags=["cases"])
Bench = Annotated[Workbench, Depends(workbench_of)]


def shown(case: Case) -> dict[str, Any]:
    """What is said of a case."""
    names = ("case_id", "run", "kind", "state", "progress", "error", "created")
    return {name: getattr(case, name) for name in names}


@router.post("/cases", status_code=201)
def submit(
    file: UploadFile, run: Annotated[str, Form()], bench: Bench, user: Annotated[User, Depends(require("reader"))]
) -> dict[str, Any]:
    """Submit one file."""
    place = bench.settings.data / "uploads" / uuid4().hex
    place.mkdir(parents=True)
    path = place / f"file{''.join(PurePath(file.filename or '').suffixes[-2:])}"
    with path.open("wb") as written:
        shutil.copyfileobj(file.file, written)
    return shown(bench.cases.submit(path, run=run, owner=user.name))


@router.get("/cases")
def every(bench: Bench, user: Annotated[User, Depends(require("viewer"))]) -> list[dict[str, Any]]:
    """All cases, the newest first."""
    return [shown(each) for each in bench.cases.all()]


@router.get("/cases/{case_id}")
def one(case_id: str, bench: Bench, user: Annotated[User, Depends(require("viewer"))]) -> dict[str, Any]:
    """A case."""
    return shown(bench.cases.get(case_id))
