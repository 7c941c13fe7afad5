"""Survival: whether patients called high risk do worse over the whole of follow-up, and how well scores rank them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Months, Target
from hepatica.evaluate import at_horizon, auroc, cumulative_incidence, fine_gray
from hepatica.report.figures import kaplan_meier
from hepatica.report.page import Block, Gallery, Results, Run, Section, Text
from hepatica.report.page.metric_table import metric_rows, target_table
from hepatica.report.page.wording import attempt, cell, equals, estimate, share, when

TALL = (4.4, 4.6)
"""Inches of a panel with numbers at risk below it."""

HORIZONS = (Months(12), Months(36), Months(60))
"""At which a score that has no horizon of its own is judged. Ours."""


def section(run: Run, gallery: Gallery) -> Section:
    """A Kaplan-Meier panel a target and cohort, and the table of ranking and censoring."""
    figure = gallery.by_target(
        "kaplan_meier",
        [(each, target) for target in run.targets for each in run.cohorts],
        _paint,
        alt="Kaplan-Meier curves of groups by the score",
        caption="Kaplan-Meier curves of patients at or above and below the locked cut-off of each score. Shades are 95%"
        " intervals, ticks censored patients, a dotted line the horizon of the score.",
        size=TALL,
        columns=run.columns,
    )
    table = target_table(
        run,
        partial(_rows, run),
        caption="Ranking over time, with 95% confidence intervals.",
        note="C-index: of two patients, how often the one with the higher score has the event first, over the whole of"
        " follow-up. Time-dependent AUROC weights patients for censoring instead of leaving out those censored."
        " Proportional hazards are tested by Grambsch and Therneau; where P is small, the ratio is a mean over time."
        " The hazard ratio is cause-specific: competing events count as censored. Where there are any, also: cumulative"
        " incidence, the share of all patients to whom the event came first (Aalen-Johansen), and the subdistribution"
        " hazard ratio, by which it differs (Fine and Gray).",
    )
    return Section(anchor="survival", title="Survival", blocks=[figure, *competing(run.targets), table])


def _paint(figure: Drawing, *, results: Results, target: Target) -> None:
    title = f"{results.title}\nby score {when(target).lower()}"
    note = log_rank(results.metric("log_rank_p", target))
    paint_groups(figure, outcomes=results.outcomes(target), target=target, title=title, note=note)


def paint_groups(figure: Drawing, *, outcomes: pd.DataFrame, target: Target, title: str, note: str) -> None:
    """Kaplan-Meier curves of the risk groups, with the horizon of the target."""
    drawn, ylabel = kaplan_meier.arms(outcomes), free_of(target)
    kaplan_meier.paint(figure, drawn=drawn, title=title, note=note, ylabel=ylabel, horizon=target.horizon)


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
            text=f"A patient who died without {event} counts as censored where the cohort's tables code deaths so."
            " Death is then a competing risk that these curves ignore, and they overstate the share of patients with"
            f" {event}.",
            tone="note",
        )
        for event in events
    ]


def _counts_deaths(target: Target) -> bool:
    return target.endpoint.endswith("survival")


def _rows(run: Run, target: Target) -> list[list[str]]:
    rows = metric_rows(run, ("c_index", "hazard_ratio", "log_rank_p", "proportional_hazards_p"), target=target)
    horizons = HORIZONS if target.task == "survival" else () if target.horizon is None else (target.horizon,)
    for at in horizons:
        name = f"Time-dependent AUROC{f' at {at:g} months' if target.task == 'survival' else ''}"
        rows.append([name, *(_at(at, each, target) for each in run.cohorts)])
    if any((each.outcomes(target)["cause"] > 1).any() for each in run.cohorts):
        rows.append(
            ["Subdistribution hazard ratio, high vs. low", *(_subdistribution(each, target) for each in run.cohorts)]
        )
        rows += [
            [f"Cumulative incidence by {at:g} months", *(_incidence(at, each, target) for each in run.cohorts)]
            for at in horizons
        ]
    censored = "Censored" if target.horizon is None else "Censored before the horizon"
    return [*rows, [censored, *(_censored(each, target) for each in run.cohorts)]]


def _at(horizon: Months, results: Results, target: Target) -> str:
    table = results.outcomes(target)
    outcome = partial(at_horizon, table["time"], event=table["cause"], horizon=horizon)
    return cell(attempt(lambda: auroc(outcome(), score=table["score"])))


def _subdistribution(results: Results, target: Target) -> str:
    table = results.outcomes(target)
    high = (table["group"] == "high").astype(float).to_frame("high")
    return cell(attempt(lambda: fine_gray(high, time=table["time"], event=table["cause"])["high"].ratio))


def _incidence(horizon: Months, results: Results, target: Target) -> str:
    table = results.outcomes(target)
    return cell(attempt(lambda: cumulative_incidence(table["time"], event=table["cause"]).at(horizon)))


def _censored(results: Results, target: Target) -> str:
    table = results.outcomes(target)
    early = table["event"] == 0 if target.horizon is None else table["label"].isna()
    return share(int(early.sum()), len(table))
