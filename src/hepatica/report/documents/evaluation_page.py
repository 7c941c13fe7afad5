"""Evaluation page: what `hepatica evaluate` found in a table of scores, with curves and checks, as one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort.atomic import write_text
from hepatica.evaluate import Estimate, Observed, Subgroup, kaplan_meier
from hepatica.evaluate.groups.subgroups import COMPARED
from hepatica.evaluate.inputs import Floats
from hepatica.report.figures import calibration_curve, roc
from hepatica.report.figures import kaplan_meier as drawn
from hepatica.report.page import Block, Figure, Gallery, Panel, Section, Table, Text
from hepatica.report.page.page import render_page, write_tables
from hepatica.report.page.style import HIGH, LOW
from hepatica.report.page.wording import METRICS, NONE, estimate

LEAD = "Statistics of a score with 95% confidence intervals. A cut-off should have been fixed on other patients."


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """A table of scores (n,) and its statistics, by name.

    `outcome` is what is known of a yes or no (by the `horizon`, where there is follow-up), None where only follow-up
    was given; `followed` has the columns time, in `unit`, and cause.
    """

    name: str
    found: Mapping[str, Estimate]
    score: Floats
    cutoff: float
    outcome: Observed | None
    notes: Sequence[str] = ()
    followed: pd.DataFrame | None = None
    unit: str = ""
    parts: Sequence[Subgroup] = ()
    horizon: float | None = None


def write_evaluation_page(of: Evaluated, *, out: Path) -> Path:
    """Write `report.html`, `figures/` and `tables/` into `out`; the path of the page."""
    gallery = Gallery(out / "figures", phantom=False)
    sections = [
        _patients(of),
        _statistics(of),
        *_subgroups(of),
        Section(anchor="curves", title="Curves", blocks=_curves(of, gallery)),
    ]
    write_tables(sections, out / "tables")
    page = render_page(sections, title=f"Scores of {of.name}", kicker="hepatica evaluate", lead=LEAD, phantom=False)
    write_text(out / "report.html", page)
    return out / "report.html"


def _patients(of: Evaluated) -> Section:
    rows = [
        ["Rows with a score", str(of.score.size)],
        [f"At or above the cut-off of {of.cutoff:.4g}", str(int((of.score >= of.cutoff).sum()))],
        *followed_rows(of.followed, unit=of.unit),
        *outcome_rows(of.outcome, horizon=of.horizon),
    ]
    return patients_section(rows, notes=of.notes)


def followed_rows(followed: pd.DataFrame | None, *, unit: str) -> list[list[str]]:
    """Events and length of follow-up."""
    if followed is None:
        return []
    time, cause = followed["time"].to_numpy(), followed["cause"].to_numpy()
    curve = kaplan_meier(time, event=cause == 0)
    half = curve.time[curve.survival <= 0.5]
    return [
        ["Events", str(int((cause == 1).sum()))],
        ["Competing events", str(int((cause > 1).sum()))],
        ["Censored", str(int((cause == 0).sum()))],
        [f"Median follow-up ({unit}; reverse Kaplan-Meier)", f"{half[0]:.3g}" if half.size else NONE],
    ]


def outcome_rows(outcome: Observed | None, *, horizon: float | None) -> list[list[str]]:
    """With the event and not known, by the horizon."""
    if outcome is None:
        return []
    when = "" if horizon is None else f" by {horizon:g}"
    return [
        [f"With the event{when}", str(int(outcome.event.sum()))],
        [f"Outcome{when} unknown", str(int((outcome.weight == 0).sum()))],
    ]


def patients_section(rows: list[list[str]], *, notes: Sequence[str]) -> Section:
    """Numbers of patients, and what the reader of the file noted."""
    blocks: list[Block] = [Table(caption="Patients.", header=["", "Number"], rows=rows)]
    blocks += [Text(text=f"{note}.", tone="warning") for note in notes]
    return Section(anchor="patients", title="Patients", blocks=blocks)


def _statistics(of: Evaluated) -> Section:
    rows = [
        [
            METRICS.get(name, name.replace("_", " ").capitalize()),
            estimate(each.as_dict() | {"metric": name}),
            str(each.n),
            each.method,
        ]
        for name, each in of.found.items()
    ]
    table = Table(caption="Statistics.", header=["", "Value (95% interval)", "n", "How"], rows=rows)
    return Section(anchor="statistics", title="Statistics", blocks=[table])


def _subgroups(of: Evaluated) -> list[Section]:
    rows = [
        [METRICS.get(each.metric, each.metric), each.level, str(each.own.n)]
        + [str(side) for side in (each.own, each.others, each.difference)]
        for each in sorted(of.parts, key=lambda part: COMPARED.index(part.metric))
    ]
    table = Table(
        caption="Each subgroup against all other patients, with 95% intervals.",
        header=["", "Subgroup", "n", "Value", "All others", "Difference"],
        rows=rows,
        note="Nothing is corrected for the number of subgroups. An interval of a difference that holds 0 is no evidence"
        " that there is none.",
    )
    return [Section(anchor="subgroups", title="Subgroups", blocks=[table])] if rows else []


def _curves(of: Evaluated, gallery: Gallery) -> list[Block]:
    panels: list[Panel] = []
    if of.followed is not None:
        panels.append(gallery.draw("kaplan_meier", partial(_groups, of=of), alt="Kaplan-Meier curves", size=(4.4, 4.6)))
    if of.outcome is not None:
        panels.append(gallery.draw("roc", partial(_roc, of=of), alt="ROC curve"))
        if of.score.min() >= 0 and of.score.max() <= 1:
            known = partial(_known, of)
            paint = partial(calibration_curve.paint, known=known, of="the event", title="Calibration")
            panels.append(gallery.draw("calibration", paint, alt="Calibration curve"))
            paint = partial(calibration_curve.paint_decision, known=known, title="Decision curve")
            panels.append(gallery.draw("decision", paint, alt="Decision curve"))
    caption = (
        "Kaplan-Meier curves of patients at or above and below the cut-off, with numbers at risk; ROC curve, the"
        " cut-off ringed; observed against predicted share (groups and smooth curve); net benefit by threshold. Where"
        " there is a horizon, patients censored before it are weighed for. Bars and shades are 95% intervals."
    )
    return [Figure(caption=caption, panels=panels)]


def _known(of: Evaluated) -> calibration_curve.Known:
    assert of.outcome is not None
    return of.outcome, of.score


def _groups(figure: Drawing, *, of: Evaluated) -> None:
    assert of.followed is not None
    note = f"Log-rank P {of.found['log_rank_p']}"
    paint_groups(figure, followed=of.followed, high=of.score >= of.cutoff, note=note, unit=of.unit, horizon=of.horizon)


def paint_groups(
    figure: Drawing,
    *,
    followed: pd.DataFrame,
    high: np.ndarray,
    note: str,
    unit: str,
    horizon: float | None,
    title: str = "",
) -> None:
    """Kaplan-Meier curves of patients of high (n,) and low risk."""
    patients = followed.assign(event=(followed["cause"] == 1).astype(int))
    arms = [
        drawn.Arm(name=name, colour=colour, patients=patients[rows])
        for name, colour, rows in (("High risk", HIGH, high), ("Low risk", LOW, ~high))
    ]
    drawn.paint(figure, drawn=arms, title=title, note=note, ylabel="Event-free share", horizon=horizon)
    figure.axes[0].set_xlabel(unit)


def _roc(figure: Drawing, *, of: Evaluated) -> None:
    outcome, score = _known(of)
    name, called = f"AUROC {of.found['auroc']}", np.asarray(score >= of.cutoff)
    curve = roc.Curve(name=name, label=outcome.event, score=score, called=called, weight=outcome.weight)
    roc.paint(figure, curves=[curve], title="ROC")
