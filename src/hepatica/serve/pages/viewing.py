"""Viewing: what the viewers of a case ask for: tiles of a slide and its map, volumes, spectra, files of results."""

import json
import re
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from matplotlib import colormaps

from hepatica.cohort import Specimen
from hepatica.cohort.applicability import IN_DOMAIN, UNKNOWN
from hepatica.cohort.atomic import read_json
from hepatica.cohort.seal import unaltered
from hepatica.runs.folder import SPECIMENS
from hepatica.serve.cases import Case
from hepatica.serve.catalogue import find_run
from hepatica.serve.pages.rendering import Bench, Viewer
from hepatica.serve.readers.blinding import is_blind, refuse_blind
from hepatica.serve.refusals import ConflictError, NotFoundError
from hepatica.serve.views import inputs, slides, volumes
from hepatica.serve.workbench import Workbench

router = APIRouter(prefix="/cases/{case_id}", include_in_schema=False)

SHADES = 64
"""Colours of the map of scores (ours)."""

RESULT = re.compile(
    r"specimen_\d{4}(_dicom/[a-z0-9_]+\.dcm|\.geojson|_[a-z0-9_]+\.(png|jpg))|predictions\.csv|specimens\.csv"
)
"""Files of a result that are handed out."""


_UNPACKING = tuple(Lock() for _ in range(64))
"""A browser asks for many tiles at once, and a case must not be unpacked by two of them in one folder."""


def specimen_of(bench: Workbench, case_id: str, row: int) -> tuple[Case, Specimen]:
    """The case, and the specimen of a row of its result; NotFoundError where it has none, ConflictError until it is
    done.
    """
    with _UNPACKING[hash(case_id) % len(_UNPACKING)]:
        case, specimens = _known(bench, case_id)
    for each in specimens if case.result.is_dir() else ():  # it may have been removed
        if each.row == row:
            return case, each
    raise NotFoundError("the case has no specimen of that row, or it was removed")


@lru_cache(maxsize=64)
def _known(bench: Workbench, case_id: str) -> tuple[Case, tuple[Specimen, ...]]:
    """A case that is done and will not change, for the tiles of one slide ask for it a hundred times a second; and its
    specimens, as `runs.predict` read them.
    """
    case = bench.cases.get(case_id)
    if case.state != "done":
        raise ConflictError("the case is not done yet")
    kind, views = case.kind.split("+")[0], case.result / "views"
    run = find_run(bench.settings, case.run)
    return case, bench.viewers.ask(inputs.specimens, case.inputs, run=run, modality=kind, into=views)


@router.get("/slides/{row}.json")
def slide(case_id: str, row: int, bench: Bench, user: Viewer) -> JSONResponse:
    """The slide, and the tiles that were scored: left, top (pixels of the finest level) and score of each.

    Of a specimen that the model should not answer for, and to a reader who reads without it, no tile is shown.
    """
    case, specimen = specimen_of(bench, case_id, row)
    about, path = bench.viewers.ask(slides.described, specimen.path), case.result / f"specimen_{row:04d}.geojson"
    shown = answered(case, row) and not is_blind(bench, user, case_id)
    return JSONResponse(about | scored(path if shown else None, origin=about["origin"]))


def answered(case: Case, row: int) -> bool:
    """Whether the page shows what the model says of a specimen."""
    table = pd.read_csv(case.result / SPECIMENS, dtype=str)
    return bool(table.loc[table["row"] == str(row), "applicability"].isin([IN_DOMAIN, UNKNOWN]).all())


def scored(path: Path | None, *, origin: tuple[int, int]) -> dict[str, Any]:
    """The tiles of a GeoJSON file for QuPath, moved back by its origin to the corner of the file's pixels."""
    if path is None or not path.is_file():
        return {"tiles": [], "extent": 0, "meaning": "", "colours": []}
    tiles, extent, meaning = [], 0.0, ""
    for each in read_json(path)["features"]:
        (left, top), (right, _), *_ = each["geometry"]["coordinates"][0]
        extent = right - left
        for name, score in each["properties"].get("measurements", {}).items():
            meaning = str(name)
            tiles.append([left + origin[0], top + origin[1], round(float(score), 4)])
    from hepatica.saliency.heatmap import COLORMAP  # brings torch; a server starts without it

    shades = (255 * colormaps[COLORMAP](np.linspace(0, 1, SHADES))[:, :3]).round().astype(int).tolist()
    return {"tiles": tiles, "extent": extent, "meaning": meaning, "colours": shades}


@router.get("/slides/{row}/look/{left}_{top}_{side}.jpg")
def look(case_id: str, row: int, left: int, top: int, side: int, bench: Bench, user: Viewer) -> Response:
    """A square of the slide, small, for the list of the highest tiles."""
    _, specimen = specimen_of(bench, case_id, row)
    found = bench.viewers.ask(slides.look, specimen.path, left=left, top=top, side=side)
    return Response(found, media_type="image/jpeg")


@router.get("/slides/{row}/{level}/{column}_{line}.jpg")
def tile(case_id: str, row: int, level: int, column: int, line: int, bench: Bench, user: Viewer) -> Response:
    """One tile."""
    _, specimen = specimen_of(bench, case_id, row)
    found = bench.viewers.ask(slides.tile, specimen.path, level=level, column=column, row=line)
    return Response(found, media_type="image/jpeg")


@router.get("/volumes/{row}.json")
def study(case_id: str, row: int, bench: Bench, user: Viewer) -> JSONResponse:
    """The series of a study and their overlays; none of a specimen that the model should not answer for, and for a
    reader who reads without it.
    """
    case, specimen = specimen_of(bench, case_id, row)
    series = bench.viewers.ask(volumes.described, specimen, result=case.result)
    if is_blind(bench, user, case_id) or not answered(case, row):
        series = [each | {"overlays": []} for each in series]
    return JSONResponse({"kind": specimen.modality, "series": series})


@router.get("/volumes/{row}/{number}.nii.gz")
def volume(case_id: str, row: int, number: int, bench: Bench, user: Viewer, overlay: str = "") -> FileResponse:
    """A series as NIfTI, or one of its overlays."""
    if overlay:
        refuse_blind(bench, user, case_id)
    case, specimen = specimen_of(bench, case_id, row)
    if overlay and not answered(case, row):
        raise NotFoundError("the model gives no answer for this specimen; see the page of the case")
    views = case.result / "views"
    path = bench.viewers.ask(volumes.written, specimen, number=number, overlay=overlay, result=case.result, into=views)
    return FileResponse(path, media_type="application/octet-stream")


@router.get("/spectra/{row}.json")
def spectrum(case_id: str, row: int, bench: Bench, user: Viewer) -> Response:
    """The spectrum with its fit."""
    _, specimen = specimen_of(bench, case_id, row)
    from hepatica.serve.views.spectra import fitted  # brings torch; a server starts without it

    return Response(json.dumps(bench.viewers.ask(fitted, specimen), allow_nan=False), media_type="application/json")


@router.get("/files/{name:path}")
def file(request: Request, case_id: str, name: str, bench: Bench, user: Viewer) -> FileResponse:
    """A file of the result."""
    case = bench.cases.get(case_id)
    refuse_blind(bench, user, case_id)
    if not RESULT.fullmatch(name) or not (case.result / name).is_file():
        raise NotFoundError("the case has no such file")
    bench.audit.record(user.name, "took a file of case", case_id)
    path = case.result / name
    return FileResponse(path if path.suffix in (".png", ".jpg", ".geojson") else unaltered(path))
