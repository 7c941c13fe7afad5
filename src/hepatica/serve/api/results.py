"""Results: what was found of a case, as JSON, CSV, GeoJSON, DICOM, pictures and a page."""

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as Part
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from hepatica.cohort.seal import every_unaltered, unaltered
from hepatica.serve.accounts import User
from hepatica.serve.api.answers import REFUSALS, Bench, Id, Viewer
from hepatica.serve.cases import Case
from hepatica.serve.catalogue import find_run
from hepatica.serve.outcomes import Outcome, outcome_of
from hepatica.serve.readers.blinding import refuse_blind
from hepatica.serve.refusals import ConflictError, NotFoundError
from hepatica.serve.web.headers import page_policy
from hepatica.serve.workbench import Workbench

router = APIRouter(prefix="/api/v1/cases/{case_id}", tags=["results"], responses=REFUSALS)
PICTURE = r"^specimen_[0-9]{4,9}[A-Za-z0-9_.-]{0,200}\.(png|jpg)$"


def _as(*media: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {each: {"schema": {"type": "string", "format": "binary"}} for each in media}}}


def _done(bench: Workbench, user: User, case_id: str, *, saw: str) -> Case:
    """The case, whose result was seen from now on; ConflictError where there is none, ForbiddenError for a reader who
    is to read the case alone first.
    """
    case = bench.cases.get(case_id)
    refuse_blind(bench, user, case_id)
    if case.state != "done":
        raise ConflictError(f"the case is {case.state}: it has no result")
    bench.audit.record(user.name, f"saw {saw}", case_id)
    return case


@router.get("/result")
def result(case_id: Id, bench: Bench, user: Viewer) -> Outcome:
    """Scores with cut-offs, applicability, the model, and where its own patients lie."""
    case = _done(bench, user, case_id, saw="result")
    return outcome_of(case, run=find_run(bench.settings, case.run))


@router.get("/predictions.csv", response_class=FileResponse, responses=_as("text/csv"))
def csv(case_id: Id, bench: Bench, user: Viewer) -> FileResponse:
    """The predictions table."""
    path = _done(bench, user, case_id, saw="predictions").result / "predictions.csv"
    return _file(unaltered(path), media="text/csv")


@router.get("/overlay.geojson", response_class=FileResponse, responses=_as("application/geo+json"))
def geojson(
    case_id: Id, bench: Bench, user: Viewer, specimen: Annotated[int, Query(ge=1, le=10**6)] = 1
) -> FileResponse:
    """The regions of a slide with their scores, for QuPath."""
    found = sorted(_done(bench, user, case_id, saw="overlay").result.glob(f"specimen_{specimen:04}*.geojson"))
    return _file(found[0] if found else None, media="application/geo+json")


@router.get("/dicom.zip", response_class=FileResponse, responses=_as("application/zip"))
def dicom(case_id: Id, bench: Bench, user: Viewer) -> FileResponse:
    """Structured report, segmentations and maps of all specimens, for the archive of origin."""
    folder = _done(bench, user, case_id, saw="dicom").result
    files = [file for each in sorted(folder.glob("specimen_*_dicom")) for file in every_unaltered(each)]
    if not files:
        raise NotFoundError("this case has no results for an archive of images")
    bench.uploads.refuse_full(sum(each.stat().st_size for each in files))
    handle, name = tempfile.mkstemp(suffix=".zip", dir=bench.uploads.folder)  # swept, where we die before it is sent
    with os.fdopen(handle, "wb") as opened, zipfile.ZipFile(opened, "w", zipfile.ZIP_STORED) as packed:
        for each in files:
            packed.write(each, each.relative_to(folder))
    return _file(Path(name), media="application/zip", background=BackgroundTask(os.unlink, name))


@router.get("/report.html", response_class=Response, responses=_as("text/html"))
def report(case_id: Id, bench: Bench, user: Viewer) -> Response:
    """The page that `hepatica predict` writes."""
    return page(_done(bench, user, case_id, saw="report").result / "report.html")


@router.get("/pictures")
def pictures(case_id: Id, bench: Bench, user: Viewer) -> list[str]:
    """Names of the pictures of all specimens."""
    folder = _done(bench, user, case_id, saw="pictures").result
    return sorted(each.name for end in ("png", "jpg") for each in folder.glob(f"specimen_*.{end}"))


@router.get("/pictures/{name}", response_class=FileResponse, responses=_as("image/png", "image/jpeg"))
def picture(case_id: Id, name: Annotated[str, Part(pattern=PICTURE)], bench: Bench, user: Viewer) -> FileResponse:
    """One picture."""
    path = _done(bench, user, case_id, saw="picture").result / name
    return _file(path, media="image/png" if path.suffix == ".png" else "image/jpeg")


def page(path: Path) -> Response:
    """A page that hepatica wrote, with a policy that allows its own styles and no scripts."""
    if not path.is_file():
        raise NotFoundError("there is no such page yet")
    text = path.read_text(encoding="utf-8")
    return Response(text, media_type="text/html", headers={"Content-Security-Policy": page_policy(text)})


def _file(path: Path | None, *, media: str, background: BackgroundTask | None = None) -> FileResponse:
    if path is None or not path.is_file():
        raise NotFoundError("this case has no such file")
    return FileResponse(path, media_type=media, background=background)
