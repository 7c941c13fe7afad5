"""Progression: how much sooner patients called high risk had the event, censored times counted as events."""

from functools import partial
from typing import Literal

from hepatica.cohort import Target
from hepatica.evaluate import GroupComparison, Line
from hepatica.report.figures import boxes, scatter
from hepatica.report.figures.kaplan_meier import GROUPS, Arm
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.metric_table import target_table
from hepatica.report.page.results import Results, Run
from hepatica.report.page.wording import interval, p_value, when

SIZE = (3.5, 3.4)
"""Inches of a panel, three of which are side by side: the targets of a cohort."""

STEP = 0.1
"""Of the score, for which a slope is told."""


def section(run: Run, gallery: Gallery) -> Section:
    """Box plots of time by risk group, regressions of time on score, and a table with the trace of every test."""
    event = run.targets[0].endpoint.replace("_", " ")
    pairs = [(each, target) for each in run.cohorts for target in run.targets]
    columns: Literal[2, 3] = 3 if len(run.targets) == 3 else 2
    blocks: list[Block] = [
        Text(
            text="As in Li 2025, the time of a censored patient (a hollow dot) counts as if"
            f" {event} had happened then, although it is unknown how much later it would have. The Kaplan-Meier"
            " curves and Cox models of this report take censoring into account; where they disagree with this chapter,"
            " those are to be preferred."
        ),
        Figure(
            caption=f"Months to {event} or censoring of patients at or above (high) and below (low) the locked cut-off"
            " of each score. Boxes are quartiles, each dot is a patient.",
            panels=[_boxes(each, target, gallery) for each, target in pairs],
            columns=columns,
        ),
        Figure(
            caption=f"Months to {event} or censoring against the score, with the least-squares line and its 95% band.",
            panels=[_scatter(each, target, gallery) for each, target in pairs],
            columns=columns,
        ),
        _table(run),
    ]
    return Section(anchor="progression", title=f"Time to {event} between the groups", blocks=blocks)


def groups(results: Results, target: Target) -> tuple[Arm, Arm]:
    """The reported patients at high and at low risk, either of which may be empty."""
    outcomes = results.outcomes(target)
    high, low = (
        Arm(name=name, colour=colour, patients=outcomes[outcomes["group"] == group])
        for group, (name, colour) in GROUPS.items()
    )
    return high, low


def _boxes(results: Results, target: Target, gallery: Gallery) -> Panel:
    paint = partial(boxes.paint, drawn=groups(results, target), title=_title(results, target))
    alt = f"Box plots of months to event or censoring, {results.title}, groups by the score for {target.label}"
    return gallery.draw(f"progression_{target.key}_{results.key}", paint, alt=alt, size=SIZE)


def _scatter(results: Results, target: Target, gallery: Gallery) -> Panel:
    outcomes = results.outcomes(target)
    line = scatter.fitted(outcomes, x="score")
    paint = partial(
        scatter.paint,
        outcomes=outcomes,
        x="score",
        xlabel="Score",
        title=_title(results, target),
        told="No line" if isinstance(line, str) else f"{_slope(line)}\nmonths per {STEP} of the score",
    )
    alt = f"Months to event or censoring against the score for {target.label}, {results.title}"
    return gallery.draw(f"regression_{target.key}_{results.key}", paint, alt=alt, size=SIZE)


def _title(results: Results, target: Target) -> str:
    return f"{results.title}\nby score {when(target).lower()}"


def _slope(line: Line) -> str:
    return interval(
        {name: STEP * value for name in ("value", "low", "high") if (value := getattr(line.slope, name)) is not None},
        digits=1,
    )


def _table(run: Run) -> Table:
    return target_table(
        run,
        partial(_rows, run),
        caption="Time between the groups and along the score, with 95% confidence intervals.",
        note="Test: the rule of Li 2025, independent t-test if both groups are normal, else Wilcoxon's rank-sum test."
        " Difference is high minus low: of means after a t-test, Hodges and Lehmann's after a rank-sum test. Normality"
        " by Shapiro and Wilk at 5%, which the paper does not name. No correction for the number of tests.",
    )


def _rows(run: Run, target: Target) -> list[list[str]]:
    found: list[GroupComparison | str] = [boxes.compared(*groups(each, target)) for each in run.cohorts]
    lines = [scatter.fitted(each.outcomes(target), x="score") for each in run.cohorts]
    return [
        *boxes.rows(found, of="high vs. low"),
        [
            f"Slope, months per {STEP} of the score",
            *(each if isinstance(each, str) else _slope(each) for each in lines),
        ],
        ["P of the slope", *("" if isinstance(each, str) else p_value(each.p) for each in lines)],
        ["R²", *("" if isinstance(each, str) else f"{each.r_squared:.2f}" for each in lines)],
    ]
