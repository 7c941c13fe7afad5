"""Progression: how much sooner patients called high risk had the event, censored times counted as events."""

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Target
from hepatica.evaluate import Line
from hepatica.report.figures import boxes, scatter
from hepatica.report.figures.kaplan_meier import GROUPS, Arm
from hepatica.report.page import Block, Columns, Gallery, Results, Run, Section, Text
from hepatica.report.page.metric_table import target_table
from hepatica.report.page.wording import interval, p_value, when

SIZE = (3.5, 3.4)
"""Inches of a panel, three of which are side by side: the targets of a cohort."""

STEP = 0.1
"""Step of the score for which a slope is printed."""

TEXT = (
    "As in Li 2025, the time of a censored patient (a hollow dot) counts as if {event} had happened then, although it"
    " would have happened at an unknown later time. The Kaplan-Meier curves and Cox models of this report take"
    " censoring into account; where they disagree with this chapter, they are to be preferred."
)

TESTS = (
    "Test: the rule of Li 2025, independent t-test if both groups are normal, else Wilcoxon's rank-sum test. Difference"
    " is high minus low: of means after a t-test, Hodges and Lehmann's after a rank-sum test. Normality by Shapiro and"
    " Wilk at 5%, which the paper does not name. No correction for the number of tests."
)


def section(run: Run, gallery: Gallery) -> Section:
    """Box plots of time by risk group, regressions of time on score, and a table with the trace of every test."""
    event = run.targets[0].happening
    pairs = [(each, target) for each in run.cohorts for target in run.targets]
    columns: Columns = 3 if len(run.targets) == 3 else 2
    box_plots = gallery.by_target(
        "progression",
        pairs,
        _paint_boxes,
        alt="Box plots of months to event or censoring, groups by the score",
        caption=f"Months to {event} or censoring of patients at or above (high) and below (low) the locked cut-off of"
        " each score. Boxes are quartiles, each dot is a patient.",
        size=SIZE,
        columns=columns,
    )
    regressions = gallery.by_target(
        "regression",
        pairs,
        _paint_line,
        alt="Months to event or censoring against the score",
        caption=f"Months to {event} or censoring against the score, with the least-squares line and its 95% band.",
        size=SIZE,
        columns=columns,
    )
    table = target_table(
        run,
        partial(_rows, run),
        caption="Time between the groups and along the score, with 95% confidence intervals.",
        note=TESTS,
    )
    blocks: list[Block] = [Text(text=TEXT.format(event=event)), box_plots, regressions, table]
    return Section(anchor="progression", title=f"Time to {event} between the groups", blocks=blocks)


def groups(results: Results, target: Target) -> tuple[Arm, Arm]:
    """The reported patients at high and at low risk, either of which may be empty."""
    outcomes = results.outcomes(target)
    high, low = (
        Arm(name=name, colour=colour, patients=outcomes[outcomes["group"] == group])
        for group, (name, colour) in GROUPS.items()
    )
    return high, low


def _paint_boxes(figure: Drawing, *, results: Results, target: Target) -> None:
    boxes.paint(figure, drawn=groups(results, target), title=_title(results, target))


def _paint_line(figure: Drawing, *, results: Results, target: Target) -> None:
    outcomes = results.outcomes(target)
    line = scatter.fitted(outcomes, x="score")
    note = "No line" if isinstance(line, str) else f"{_slope(line)}\nmonths per {STEP} of the score"
    title = _title(results, target)
    scatter.paint(figure, outcomes=outcomes, x="score", xlabel="Score", title=title, note=note)


def _title(results: Results, target: Target) -> str:
    return f"{results.title}\nby score {when(target).lower()}"


def _slope(line: Line) -> str:
    scaled = {
        name: STEP * value for name in ("value", "low", "high") if (value := getattr(line.slope, name)) is not None
    }
    return interval(scaled, digits=1)


def _rows(run: Run, target: Target) -> list[list[str]]:
    found = [boxes.compared(*groups(each, target)) for each in run.cohorts]
    lines: Sequence[Line | str] = [scatter.fitted(each.outcomes(target), x="score") for each in run.cohorts]
    slopes = [each if isinstance(each, str) else _slope(each) for each in lines]
    return [
        *boxes.rows(found, of="high vs. low"),
        [f"Slope, months per {STEP} of the score", *slopes],
        ["P of the slope", *("" if isinstance(each, str) else p_value(each.p) for each in lines)],
        ["R²", *("" if isinstance(each, str) else f"{each.r_squared:.2f}" for each in lines)],
    ]
