"""Survival: whether patients called high risk do worse over the whole of follow-up, and how well scores rank them."""

from functools import partial
from typing import Any

from hepatica.cohort import EvaluationError, Months, Target
from hepatica.evaluate import Risk, time_dependent_auroc
from hepatica.report import kaplan_meier
from hepatica.report.blocks import Figure, Panel, Section, Table
from hepatica.report.gallery import Gallery
from hepatica.report.results import Results, Run
from hepatica.report.wording import METRICS, estimate, share, when

TALL = (4.4, 4.6)
"""Inches of a panel with numbers at risk below it."""


def section(run: Run, gallery: Gallery) -> Section:
    """A Kaplan-Meier panel a target and cohort, and the table of ranking and censoring."""
    panels = [_panel(each, target, gallery) for target in run.targets for each in run.cohorts]
    caption = (
        "Kaplan-Meier curves of patients at or above and below the locked cut-off of each score. Shades are 95%"
        " intervals, ticks censored patients, a dotted line the horizon of the score."
    )
    figure = Figure(caption=caption, panels=panels, columns=run.columns)
    return Section(anchor="survival", title="Survival", blocks=[figure, _table(run)])


def _panel(results: Results, target: Target, gallery: Gallery) -> Panel:
    paint = partial(
        kaplan_meier.paint,
        drawn=kaplan_meier.arms(results.outcomes(target)),
        title=f"{results.title}\nby score {when(target).lower()}",
        told=log_rank(results.metric("log_rank_p", target)),
        ylabel=free_of(target),
        horizon=target.horizon,
    )
    alt = f"Kaplan-Meier curves of {results.title}, groups by the score for {target.label}"
    return gallery.draw(f"kaplan_meier_{target.key}_{results.key}", paint, alt=alt, size=TALL)


def log_rank(found: Any) -> str:
    """Log-rank P as a figure prints it."""
    p = estimate(found)
    return f"Log-rank P {p}" if p.startswith(("<", "not")) else f"Log-rank P = {p}"


def free_of(target: Target) -> str:
    """What a curve shows: recurrence-free share."""
    words = target.endpoint.replace("_", " ")
    return "Survival" if words.endswith("survival") else f"{words.capitalize()}-free share"


def _table(run: Run) -> Table:
    rows: list[list[str]] = []
    for target in run.targets:
        rows.append([target.label.capitalize()])
        rows += [
            [METRICS[name], *(estimate(each.metric(name, target)) for each in run.cohorts)]
            for name in ("c_index", "hazard_ratio", "log_rank_p")
        ]
        if target.horizon is not None:
            rows.append(["Time-dependent AUROC", *(_at(target.horizon, each, target) for each in run.cohorts)])
        rows.append(
            [
                "Censored before the horizon" if target.horizon else "Censored",
                *(_censored(e, target) for e in run.cohorts),
            ]
        )
    return Table(
        caption="Ranking over time, with 95% confidence intervals.",
        header=["", *(each.title for each in run.cohorts)],
        rows=rows,
        note="C-index: of two patients, how often the one with the higher score has the event first, over the whole of"
        " follow-up. Time-dependent AUROC counts censored patients by weights instead of leaving them out.",
    )


def _at(horizon: Months, results: Results, target: Target) -> str:
    table = results.outcomes(target)
    try:
        found = time_dependent_auroc(
            table["time"].to_numpy(),
            event=table["event"].to_numpy(),
            score=Risk(table["score"].to_numpy(float)),
            horizon=horizon,
        )
    except EvaluationError:
        return "not computable"
    return str(found)


def _censored(results: Results, target: Target) -> str:
    table = results.outcomes(target)
    early = table["event"] == 0 if target.horizon is None else table["label"].isna()
    return share(int(early.sum()), len(table))
