"""Cases: the list of what was submitted, and of each case the page with score, applicability and viewers."""

from pathlib import Path
from typing import Any

import pandas as pd
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from hepatica.cohort import read_predictions
from hepatica.cohort.applicability import NOT_ASSESSABLE, UNUSUAL
from hepatica.cohort.seal import unaltered
from hepatica.runs.folder import SPECIMENS
from hepatica.serve.cases import Case
from hepatica.serve.catalogue import find_run
from hepatica.serve.outcomes import model_of as refuse_other_model
from hepatica.serve.pages.model import NOT_FOR, Model, identity, model_of, scores_of
from hepatica.serve.pages.rendering import Bench, Operator, PageRoute, Viewer, page, part
from hepatica.serve.pages.verdicts import drawn, patients
from hepatica.serve.readers.blinding import refuse_blind

router = APIRouter(route_class=PageRoute, include_in_schema=False)

VIEWERS = {
    "slide": ("openseadragon.min.js",),
    "ct": ("niivue.umd.js",),
    "mr": ("niivue.umd.js",),
    "spectrum": ("uPlot.iife.min.js", "uPlot.min.css"),
}
"""By what a model reads, the files that its viewer needs."""

SHOWN = 500
"""Patients, and specimens, of a case that its page shows (ours)."""

DRAWN = {
    "heatmap.png": "The map of the score",
    "tiles.png": "The tiles with the highest and the lowest scores",
    "profile.png": "The score from slice to slice",
    "saliency.png": "Where the network finds the evidence",
    "fit.png": "The fit",
    "input.jpg": "The specimen",
}
"""Pictures that `runs.predict` draws, by the end of their names, in the order of their importance."""


@router.get("/cases")
def every(request: Request, bench: Bench, user: Viewer) -> HTMLResponse:
    """All cases, the newest first."""
    return page(request, "cases.html.jinja", user=user, cases=bench.cases.all())


@router.get("/cases/{case_id}")
def one(request: Request, case_id: str, bench: Bench, user: Viewer) -> HTMLResponse:
    """One case: its progress, or its result."""
    case = bench.cases.get(case_id)
    refuse_blind(bench, user, case_id)
    bench.audit.record(user.name, "saw case", case_id)
    model = model_of(case.run, find_run(bench.settings, case.run))
    kind = case.kind.split("+")[0]
    shown = {}
    if case.state == "done":
        refuse_other_model(case, run=model.folder)
        shown = result_of(case, model)
    assets = VIEWERS.get(kind, ()) if shown.get("specimens") else ()
    about = {"case": case, "model": model, "identity": identity(model), "not_for": NOT_FOR, "kind": kind}
    return page(request, "case.html.jinja", user=user, assets=assets, **about, **shown)


@router.get("/cases/{case_id}/progress")
def progress(case_id: str, bench: Bench, user: Viewer) -> Response:
    """The state of its job; once it has ended, the browser loads the page anew."""
    case = bench.cases.get(case_id)
    if case.state in ("waiting", "running"):
        return part("progress.html.jinja", case=case)
    return Response(headers={"HX-Refresh": "true"})


@router.post("/cases/{case_id}/remove")
def remove(case_id: str, bench: Bench, user: Operator) -> RedirectResponse:
    """Remove the case with its files and results."""
    bench.cases.delete(case_id)
    bench.audit.record(user.name, "removed case", case_id)
    return RedirectResponse("/cases", status_code=303)


def result_of(case: Case, model: Model) -> dict[str, Any]:
    """What the page shows of a result: patients with their verdicts, and how many there are; of each specimen pictures
    and downloads.
    """
    table = read_predictions(unaltered(case.result / "predictions.csv"))
    specimens = pd.read_csv(unaltered(case.result / SPECIMENS))
    every = table["patient_id"].unique()
    table = table[table["patient_id"].isin(every[:SHOWN])]
    found = patients(table, specimens=specimens, model=model, known=scores_of(model))
    return {
        "patients": [(each, [(one, drawn(one)) for one in each.verdicts]) for each in found],
        "patient_count": len(every),
        "specimens": [_specimen(case.result, row) for row in specimens[:SHOWN].to_dict("records")],
    }


def _specimen(result: Path, row: dict[Any, Any]) -> dict[str, Any]:
    """A row of specimens.csv: whether it was read, remarks, and files; nothing with a score of an unusual one."""
    number, applicability = int(row["row"]), row.get("applicability")
    stem, answered = f"specimen_{number:04d}", applicability not in (NOT_ASSESSABLE, UNUSUAL)
    pictures = [
        {"name": path.name, "alt": words}
        for end, words in DRAWN.items()
        if answered or end == "input.jpg"
        for path in sorted(result.glob(f"{stem}_*{end}"))
    ]
    dicom = sorted(each.name for each in (result / f"{stem}_dicom").glob("*.dcm"))
    notes = [str(row[name]) for name in ("notes", "flags") if isinstance(row.get(name), str) and row[name]]
    return {
        "row": number,
        "readable": applicability != NOT_ASSESSABLE,
        "answered": answered,
        "notes": notes,
        "pictures": pictures,
        "geojson": f"{stem}.geojson" if answered and (result / f"{stem}.geojson").is_file() else "",
        "dicom": dicom if applicability != UNUSUAL else [],
    }
