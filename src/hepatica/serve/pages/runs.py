"""Runs: the table of runs, one run with its report and card, and two runs beside each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hepatica.cohort import Target
from hepatica.serve import catalogue, run_facts
from hepatica.serve.comparison import compare
from hepatica.serve.pages.model import identity, model_of
from hepatica.serve.pages.rendering import Bench, PageRoute, Viewer, page
from hepatica.serve.run_facts import Metric, RunFacts, facts_of

if TYPE_CHECKING:
    from hepatica.report.page.results import Results

router = APIRouter(prefix="/runs", route_class=PageRoute, include_in_schema=False)

QUOTED = ("auroc", "c_index", "auroc_macro", "dice_liver", "dice", "concordance", "bias")
"""Metrics of which the first that a run has is in the table."""


@router.get("")
def every(request: Request, bench: Bench, user: Viewer) -> HTMLResponse:
    """All runs."""
    rows = [
        (each, quoted(each, fold="test"), quoted(each, fold="external")) for each in run_facts.every(bench.settings)
    ]
    return page(request, "runs.html.jinja", user=user, rows=rows)


@router.get("/compare")
def two(request: Request, a: str, b: str, bench: Bench, user: Viewer) -> HTMLResponse:
    """Two runs on the patients that neither has seen."""
    first, second = (catalogue.find_run(bench.settings, each) for each in (a, b))
    settings, found, note = compare(first, second)
    rows = [(each, named(each.metric), _difference(each)) for each in found]
    curves = roc_curves(first, second)
    assets = ("uPlot.iife.min.js", "uPlot.min.css")
    return page(
        request, "compare.html.jinja", user=user, assets=assets, a=a, b=b, settings=settings, rows=rows, note=note,
        curves=curves,
    )  # fmt: skip


@router.get("/{name}")
def one(request: Request, name: str, bench: Bench, user: Viewer) -> HTMLResponse:
    """A run: what it is, its statistics, report and card."""
    folder = catalogue.find_run(bench.settings, name)
    facts = facts_of(name, folder)
    model = model_of(name, folder) if facts.digest else None
    card = (folder / "card.md").read_text(encoding="utf-8") if (folder / "card.md").is_file() else ""
    metrics = [(each, named(each.metric), said(each)) for each in facts.metrics]
    return page(
        request, "run.html.jinja", user=user, facts=facts, identity=identity(model) if model else {}, card=card,
        report=(folder / "report.html").is_file(), metrics=metrics,
    )  # fmt: skip


def quoted(facts: RunFacts, *, fold: str) -> tuple[str, str, float | None]:
    """Name, text and value of the first metric that is quoted of a run in a fold."""
    own = [each for each in facts.metrics if each.fold == fold]
    for name in QUOTED:
        for each in own:
            if each.metric == name and each.value is not None:
                return named(name), said(each), each.value
    return "", "", None


def named(metric: str) -> str:
    """A statistic as a journal calls it."""
    from hepatica.report.page.wording import METRICS  # brings statistics; a server starts without them

    return METRICS.get(metric, metric)


def said(each: Metric) -> str:
    """A value with its interval, as a journal prints it; "not computable" where there is none."""
    from hepatica.report.page.wording import interval  # brings statistics; a server starts without them

    return "not computable" if each.value is None else interval(each.model_dump())


def _difference(each: Any) -> str:
    if each.value is None:
        return "not computable"
    within = "" if each.low is None else f" ({each.low:+.3f} to {each.high:+.3f})"
    return f"{each.value:+.3f}{within}"


def roc_curves(first: Path, second: Path) -> list[dict[str, Any]]:
    """ROC curves of both, by cohort and target, of the patients that both scored and whose status is known."""
    from hepatica.report.page import read_run  # brings statistics; a server starts without them

    a, b = read_run(first), read_run(second)
    pairs = [(x, y) for x in a.cohorts for y in b.cohorts if x.cohort["digest"] == y.cohort["digest"]]
    drawn = [_roc(x, y, target) for x, y in pairs for target in x.targets if target.task == "binary"]
    return [each for each in drawn if each]


def _roc(x: "Results", y: "Results", target: Target) -> dict[str, Any] | None:
    from sklearn.metrics import roc_curve  # brings statistics; a server starts without them

    from hepatica.report.page.wording import about

    if target.key not in {each.key for each in y.targets}:
        return None
    both = x.outcomes(target).join(y.outcomes(target)[["score"]], rsuffix="_b", how="inner").dropna(subset=["label"])
    if both["label"].nunique() < 2:
        return None
    lines = [roc_curve(both["label"], both[name], drop_intermediate=False) for name in ("score", "score_b")]
    grid = np.unique(np.concatenate([false_alarms for false_alarms, _, _ in lines]))
    return {
        "title": f"{x.cohort['name']}, {about(target)}",
        "n": len(both),
        "x": grid.round(5).tolist(),
        "lines": [_highest(x, y, grid).round(5).tolist() for x, y, _ in lines],
    }


def _highest(false_alarms: np.ndarray, sensitivity: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The highest sensitivity of a curve of steps at or before each share of false alarms."""
    return np.asarray([sensitivity[false_alarms <= place].max() for place in grid])
