"""Compare runs: two sets of scores of the same internal test patients, statistic by statistic, with paired tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isnan

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Target, patient_scores
from hepatica.evaluate import (
    Comparison,
    Estimate,
    Risk,
    binary_metrics,
    c_index,
    compare_c_index,
    compare_paired,
)
from hepatica.evaluate.by_task import EVEN_ODDS, known_outcome
from hepatica.report.figures.forest import estimate, name_rows
from hepatica.report.page import Block, Figure, Gallery, Run, Section, Table, Text
from hepatica.report.page.style import INK, QUIET, SERIES, say
from hepatica.report.page.wording import METRICS, NONE, NOT_COMPUTABLE, cell, p_value, when

TESTS = (
    " AUROC: DeLong. C-index: infinitesimal jackknife. Others: 2,000 bootstrap draws of patients; P of accuracy by"
    " McNemar's exact test. No correction for the number of tests."
)

OVER_CUTOFFS = ("auroc", "average_precision")
AT_A_CUTOFF = ("accuracy", "ppv", "sensitivity", "f1")


@dataclass(frozen=True, kw_only=True)
class Other:
    """What the run (`own`) is compared with: `name`, its predictions and cut-offs by the key of each target.

    `printed` holds a paper's values of both, by target and metric; `text`, `note` and `undecided` (a remark where no
    difference is shown) are the caller's.
    """

    own: str
    name: str
    predictions: pd.DataFrame
    cutoffs: Mapping[str, float]
    text: str = ""
    note: str = ""
    undecided: str = ""
    printed: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One statistic of both on the same patients and their paired difference; `cutoff` names the cut-off."""

    metric: str
    cutoff: str
    first: Estimate
    second: Estimate
    comparison: Comparison

    @property
    def name(self) -> str:
        """As a table calls it: Accuracy, at 0.5."""
        return METRICS[self.metric] + (f", at {self.cutoff}" if self.cutoff else "")


def section(run: Run, gallery: Gallery, *, other: Other) -> Section:
    """The table of both, a figure of their differences, and whether the data show one."""
    found = {target.key: rows(run, target, other) for target in run.targets}
    title, width = f"{other.own} minus {other.name}", reach(found)
    panels = [
        gallery.draw(
            f"strategies_{target.key}",
            partial(_paint, found=found[target.key], title=when(target), xlabel=title, reach=width),
            alt=f"Differences, {title}, {target.label}",
            size=(4.4, 4.4),
        )
        for target in run.targets
    ]
    caption = (
        f"{title} on the same internal test patients, with 95% intervals; right of the line {other.own} is better."
        " Statistics at a cut-off are given at both cut-offs."
    )
    blocks: list[Block] = [
        Text(text=f"{other.text}Every difference is taken on the same patients."),
        _table(run, found, other),
        Figure(caption=caption, panels=panels, columns=3),
        Text(text=verdict(found, undecided=other.undecided)),
    ]
    return Section(anchor="strategies", title=f"{other.own} vs. {other.name}", blocks=blocks)


def scored(run: Run, target: Target, predictions: pd.DataFrame) -> pd.DataFrame:
    """Outcomes of the test patients that both scored, with the scores `first` and `second`."""
    outcomes = run.internal.outcomes(target).rename(columns={"score": "first"})
    other = patient_scores(predictions, target=target, fold="test")["score"].astype(float)
    return outcomes.join(other.rename("second"), how="inner")


def rows(run: Run, target: Target, other: Other) -> list[Row]:
    """The statistics of one target, those at a cut-off at 0.5 and at each one's own training median."""
    both = scored(run, target, other.predictions)
    cutoffs = {
        "0.5": (EVEN_ODDS, EVEN_ODDS),
        "the training median": (run.cutoffs[target.key], other.cutoffs[target.key]),
    }
    found: list[Row] = []
    for name, pair in cutoffs.items():
        names = AT_A_CUTOFF if found else (*OVER_CUTOFFS, *AT_A_CUTOFF)
        found += _binary(both, target, names, cutoffs=pair, called=name)
    return found + (_ranking(both) if "time" in both else [])


def _binary(
    both: pd.DataFrame, target: Target, names: tuple[str, ...], *, cutoffs: tuple[float, float], called: str
) -> list[Row]:
    try:
        known, label = known_outcome(both, target)
        a, b = (known[name].to_numpy(float) for name in ("first", "second"))
        compared = compare_paired(label, score_a=a, score_b=b, cutoff_a=cutoffs[0], cutoff_b=cutoffs[1])
    except EvaluationError:
        return []
    one, other = (binary_metrics(label, score=each, cutoff=at) for each, at in zip((a, b), cutoffs, strict=True))
    at = {name: called if name in AT_A_CUTOFF else "" for name in names}
    return [
        Row(metric=name, cutoff=at[name], first=one[name], second=other[name], comparison=compared[name])
        for name in names
    ]


def _ranking(both: pd.DataFrame) -> list[Row]:
    time, event = both["time"].to_numpy(), both["event"].to_numpy()
    a, b = (Risk(both[name].to_numpy(float)) for name in ("first", "second"))
    try:
        one, other = (c_index(time, event=event, score=each) for each in (a, b))
        compared = compare_c_index(time, event=event, score_a=a, score_b=b)
    except EvaluationError:
        return []
    return [Row(metric="c_index", cutoff="", first=one, second=other, comparison=compared)]


def _table(run: Run, found: dict[str, list[Row]], other: Other) -> Table:
    paper = [f"The paper's {name}" for name in (other.own, other.name)] if other.printed else []
    body: list[list[str]] = []
    for target in run.targets:
        printed = other.printed.get(target.key, {})
        body += [[target.label.capitalize()], *(_cells(row, printed)[: 5 + len(paper)] for row in found[target.key])]
        if not found[target.key]:
            body.append(["Not computable: one outcome only, or no patients scored by both", *[NONE] * (4 + len(paper))])
    return Table(
        caption=f"{other.own} and {other.name} on the internal test patients, with 95% confidence intervals.",
        header=["", other.own, other.name, "Difference", "P", *paper],
        rows=body,
        note=f"Difference: {other.own} minus {other.name}, paired.{TESTS}{other.note}",
    )


def _cells(row: Row, printed: Mapping[str, Sequence[float]]) -> list[str]:
    theirs = printed.get(row.metric, ()) if row.cutoff in ("", "0.5") else ()
    ours = [NOT_COMPUTABLE if isnan(e.value) else cell(e) for e in (row.first, row.second, row.comparison.difference)]
    return [row.name, *ours, p_value(row.comparison.p), *([f"{each:.3f}" for each in theirs] or [NONE, NONE])]


def verdict(found: dict[str, list[Row]], *, undecided: str = "") -> str:
    """Whether the data show that one is better, counted from the intervals of all differences."""
    known = [row.comparison.difference for table in found.values() for row in table]
    known = [each for each in known if each.low is not None and each.high is not None]
    if not known:
        return "No difference could be computed here, so nothing is shown about the two."
    better, worse = sum((each.low or 0) > 0 for each in known), sum((each.high or 0) < 0 for each in known)
    n = max(each.n for each in known)
    counted = (
        f"Of {len(known)} differences in {n} patients at most, {better} have an interval above 0 and {worse} below. "
    )
    if not better + worse:
        return f"{counted}These data do not show which of the two is better.{undecided}"
    return counted + (
        f"The differences are not independent, and about {len(known) / 20:.1f} intervals would exclude 0 by chance"
        " alone if the two were equal; consider the AUROC and C-index first. One split of one cohort is one trial."
    )


def reach(found: dict[str, list[Row]]) -> float:
    """How far from 0 the differences and their intervals go over all targets, for one scale in all panels."""
    differences = [row.comparison.difference for table in found.values() for row in table]
    ends = [abs(end) for each in differences for end in (each.low, each.value, each.high) if end is not None]
    return max([end for end in ends if not isnan(end)], default=1.0)


def _paint(figure: Drawing, *, found: list[Row], title: str, xlabel: str, reach: float) -> None:
    axes = figure.subplots()
    axes.set_title(title)
    if not found:
        say(axes, "One outcome only:\nthere is nothing to compare.")
        return
    names = list(dict.fromkeys(row.metric for row in found))
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
    for row in found:
        aside, colour = LOOKS[row.cutoff]
        estimate(axes, row.comparison.difference, y=names.index(row.metric) + aside, colour=colour)
    name_rows(axes, [METRICS[name].split(" (")[0] for name in names], xlabel=xlabel)
    axes.set_xlim(-1.05 * reach, 1.05 * reach)
    for cutoff, (_, colour) in LOOKS.items():
        axes.plot([], [], "o", color=colour, markersize=5, label=f"at {cutoff}" if cutoff else "over all cut-offs")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.35, -0.13), ncols=2, handletextpad=0.1)


LOOKS = {"": (0.0, INK), "0.5": (-0.15, SERIES[0]), "the training median": (0.15, SERIES[1])}
"""Height beside its row, and colour, of a difference by its cut-off."""
