"""Survival: whether patients called high risk do worse over the whole of follow-up, and how well scores rank them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from hepatica.cohort import EvaluationError, Months, Target
from hepatica.evaluate import Risk, time_dependent_auroc
from hepatica.report.figures import kaplan_meier
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.metric_table import metric_rows, target_table
from hepatica.report.page.results import Results, Run
from hepatica.report.page.wording import equals, estimate, share, when

TALL = (4.4, 4.6)
"""Inches of a panel with numbers at risk below it."""

HORIZONS = (Months(12), Months(36), Months(60))
"""At which a score that has no horizon of its own is judged. Ours."""


def section(run: Run, gallery: Gallery) -> Section:
    """A Kaplan-Meier panel a target and cohort, and the table of ranking and censoring."""
    panels = [_panel(each, target, gallery) for target in run.targets for each in run.cohorts]
    caption = (
        "Kaplan-Meier curves of patients at or above and below the locked cut-off of each score. Shades are 95%"
        " intervals, ticks censored patients, a dotted line the horizon of the score."
    )
    figure = Figure(caption=caption, panels=panels, columns=run.columns)
    return Section(anchor="survival", title="Survival", blocks=[figure, *competing(run.targets), _table(run)])


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
    return f"Log-rank P {equals(estimate(found))}"


def free_of(target: Target) -> str:
    """What a curve shows: recurrence-free share."""
    words = target.endpoint.replace("_", " ")
    return "Survival" if _counts_deaths(target) else f"{words.capitalize()}-free share"


def competing(drawn: Sequence[Target]) -> list[Block]:
    """A note on deaths under Kaplan-Meier curves of an event other than death; nothing where survival is the endpoint.

    Why such curves overstate: Putter, Fiocco and Geskus 2007, doi 10.1002/sim.2712.
    """
    events = dict.fromkeys(each.endpoint.replace("_", " ") for each in drawn if not _counts_deaths(each))
    return [
        Text(
            text=f"A patient who died without {event} counts as censored where the cohort's tables code it so, which is"
            " the cohort's choice: death is then a competing risk these curves leave out, and they overstate the share"
            f" of patients with {event}.",
            tone="note",
        )
        for event in events
    ]


def _counts_deaths(target: Target) -> bool:
    return target.endpoint.endswith("survival")


def _table(run: Run) -> Table:
    return target_table(
        run,
        partial(_rows, run),
        caption="Ranking over time, with 95% confidence intervals.",
        note="C-index: of two patients, how often the one with the higher score has the event first, over the whole of"
        " follow-up. Time-dependent AUROC counts censored patients by weights instead of leaving them out.",
    )


def _rows(run: Run, target: Target) -> list[list[str]]:
    rows = metric_rows(run, ("c_index", "hazard_ratio", "log_rank_p"), target=target)
    if target.task == "survival":
        rows += [
            [f"Time-dependent AUROC at {at:g} months", *(_at(at, each, target) for each in run.cohorts)]
            for at in HORIZONS
        ]
    elif target.horizon is not None:
        rows.append(["Time-dependent AUROC", *(_at(target.horizon, each, target) for each in run.cohorts)])
    censored = "Censored" if target.horizon is None else "Censored before the horizon"
    return [*rows, [censored, *(_censored(each, target) for each in run.cohorts)]]


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
