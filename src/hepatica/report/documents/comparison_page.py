"""Comparison page: two scores of the same patients beside each other, with their differences and curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort.atomic import write_text
from hepatica.evaluate import Comparison, Estimate, Observed, log_rank_p
from hepatica.evaluate.inputs import Floats
from hepatica.report.documents.evaluation_page import followed_rows, outcome_rows, paint_groups, patients_section
from hepatica.report.figures import calibration_curve, roc
from hepatica.report.page import Block, Figure, Gallery, Panel, Section, Table
from hepatica.report.page.page import render_page, write_tables
from hepatica.report.page.wording import METRICS, estimate, p_value

LEAD = "Two scores of the same patients, with 95% confidence intervals; differences are paired."


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One of the scores (n,): `name` is its column, `found` its own statistics."""

    name: str
    score: Floats
    cutoff: float
    found: Mapping[str, Estimate]

    @property
    def high(self) -> np.ndarray:
        """Whose score (n,) is at or above the cut-off."""
        return np.asarray(self.score >= self.cutoff)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two scores and the differences of their statistics, the first minus the second.

    `outcome` is what is known of a yes or no (by the `horizon`, where there is follow-up); `followed` has the columns
    time, in `unit`, and cause.
    """

    name: str
    scores: tuple[Scored, Scored]
    found: Mapping[str, Comparison]
    outcome: Observed | None
    notes: Sequence[str] = ()
    followed: pd.DataFrame | None = None
    unit: str = ""
    horizon: float | None = None


def write_comparison_page(of: Compared, *, out: Path) -> Path:
    """Write `report.html`, `figures/` and `tables/` into `out`; the path of the page."""
    gallery = Gallery(out / "figures", phantom=False)
    above = [
        [f"{each.name} at or above its cut-off of {each.cutoff:.4g}", str(int(each.high.sum()))] for each in of.scores
    ]
    rows = [["Rows with both scores", str(of.scores[0].score.size)], *above]
    rows += followed_rows(of.followed, unit=of.unit) + outcome_rows(of.outcome, horizon=of.horizon)
    sections = [
        patients_section(rows, notes=of.notes),
        _statistics(of),
        Section(anchor="curves", title="Curves", blocks=_curves(of, gallery)),
    ]
    write_tables(sections, out / "tables")
    first, second = of.scores
    title = f"{first.name} and {second.name} in {of.name}"
    page = render_page(sections, title=title, kicker="hepatica evaluate compare", lead=LEAD, phantom=False)
    write_text(out / "report.html", page)
    return out / "report.html"


def _statistics(of: Compared) -> Section:
    first, second = of.scores
    rows = [
        [
            METRICS.get(name, name),
            *(estimate(each.found[name].as_dict() | {"metric": name}) for each in of.scores),
            str(each.difference),
            p_value(each.p),
            each.difference.method,
        ]
        for name, each in of.found.items()
    ]
    table = Table(
        caption=f"Statistics of both scores, and the difference: {first.name} minus {second.name}.",
        header=["", first.name, second.name, "Difference", "P", "How the difference was tested"],
        rows=rows,
        note="Nothing is corrected for the number of statistics compared.",
    )
    return Section(anchor="statistics", title="Statistics", blocks=[table])


def _curves(of: Compared, gallery: Gallery) -> list[Block]:
    panels: list[Panel] = []
    if of.followed is not None:
        for number, each in enumerate(of.scores, start=1):
            paint = partial(_groups, of=of, own=each)
            panels.append(gallery.draw(f"kaplan_meier_{number}", paint, alt="Kaplan-Meier curves", size=(4.4, 4.6)))
    if of.outcome is not None:
        panels.append(gallery.draw("roc", partial(_roc, of=of), alt="ROC curves"))
        if all(each.score.min() >= 0 and each.score.max() <= 1 for each in of.scores):
            panels.append(gallery.draw("decision", partial(_decision, of=of), alt="Decision curves"))
    caption = (
        "Kaplan-Meier curves of patients at or above and below the cut-off of each score; ROC curves, the cut-offs"
        " ringed; net benefit by threshold, where both scores are probabilities. Where there is a horizon, patients"
        " censored before it are weighed for."
    )
    return [Figure(caption=caption, panels=panels)]


def _groups(figure: Drawing, *, of: Compared, own: Scored) -> None:
    assert of.followed is not None
    time, event = of.followed["time"], of.followed["cause"] == 1
    note = f"Log-rank P {log_rank_p(time, event=event, group=own.high)}"
    paint_groups(
        figure, followed=of.followed, high=own.high, note=note, unit=of.unit, horizon=of.horizon, title=own.name
    )


def _roc(figure: Drawing, *, of: Compared) -> None:
    assert of.outcome is not None
    known = {"label": of.outcome.event, "weight": of.outcome.weight}
    curves = [
        roc.Curve(name=f"{each.name}: AUROC {each.found['auroc']}", score=each.score, called=each.high, **known)
        for each in of.scores
    ]
    roc.paint(figure, curves=curves, title="ROC")


def _decision(figure: Drawing, *, of: Compared) -> None:
    assert of.outcome is not None
    (first, second), outcome = of.scores, of.outcome
    calibration_curve.paint_decision(
        figure,
        known=lambda: (outcome, first.score),
        title="Decision curve",
        name=first.name,
        other=(second.name, second.score),
    )
