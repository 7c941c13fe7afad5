"""Subgroups: risk groups, or calls at the locked cut-off, within patients of one level of a covariate."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Target
from hepatica.evaluate import (
    Confusion,
    Estimate,
    auroc,
    compare_shares,
    confusion,
    cox,
    heterogeneity_p,
    log_rank_p,
    sensitivity,
    specificity,
)
from hepatica.report.chapters.follow_up.survival import TALL, competing, paint_groups
from hepatica.report.chapters.variables.covariates import MOST_LEVELS, parts
from hepatica.report.figures.forest import Line, dots, forest
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import HIGH, LOW
from hepatica.report.page.wording import INDENT, NONE, about, attempt, cell, column, equals, outcomes, p_value

OF_RISK = ("vascular_invasion", "tumour_size_cm")
"""Covariates within which risk groups are compared: those of Li 2025."""

MOST_OF_RISK = 4
"""Levels of these at most. Ours."""

RISK_CAUTION = (
    "A P above 0.05 in a subgroup is no evidence that the score has no effect there: the subgroup may be too small. Nor"
    " do a P below 0.05 in one subgroup and one above it in another show that they differ; the test of interaction"
    " addresses this, and in cohorts of this size it too finds only large differences."
)
CALLS_CAUTION = (
    "Covariates recorded in patients with {0} only (stage, grade) divide its sensitivity, kinds of other lesions its"
    " specificity. Small subgroups have wide intervals, and nothing is corrected for their number: a conspicuous"
    " subgroup needs confirmation elsewhere."
)


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """Reported patients of one level (`name`) of a covariate (`of`; empty for all patients), and their outcomes."""

    of: str
    name: str
    outcomes: pd.DataFrame

    @property
    def title(self) -> str:
        """As a figure calls it: Sex: male, Age (years) > 60."""
        between = " " if self.name.startswith(("≤", ">")) else ": "
        return f"{column(self.of)}{between}{self.name}" if self.of else self.name

    @property
    def high(self) -> np.ndarray:
        """Whether each patient is at or above the locked cut-off, 1 or 0."""
        return (self.outcomes["group"] == "high").to_numpy(float)

    @property
    def ratio(self) -> Estimate | None:
        """Hazard ratio of high against low risk; None where there is none."""
        high, followed = pd.DataFrame({"high": self.high}), self.outcomes
        found = attempt(lambda: cox(high, time=followed["time"], event=followed["event"])["high"].ratio)
        return None if isinstance(found, str) else found

    @property
    def log_rank(self) -> float:
        """P of high against low risk."""
        return log_rank_p(self.outcomes["time"], event=self.outcomes["event"], group=self.high).value

    @property
    def calls(self) -> Confusion:
        """Calls at the locked cut-off."""
        return confusion(self.outcomes["label"], score=self.high, cutoff=0.5)

    @property
    def area(self) -> str:
        """AUROC; a dash where all patients are of one class."""
        both = self.outcomes["label"].nunique() == 2
        return cell(auroc(self.outcomes["label"], score=self.outcomes["score"]) if both else None)


RATES = {"Sensitivity": (sensitivity, HIGH), "Specificity": (specificity, LOW)}


def section(run: Run, gallery: Gallery) -> Section | str:
    """Risk groups within subgroups where there is follow-up; else sensitivity and specificity within them."""
    found = [(each, subgroups(each, run.targets[0])) for each in run.cohorts]
    if not any(groups for _, groups in found):
        return "No cohort has a covariate by which subgroups of its patients could be formed."
    blocks = (_of_risk if run.followed else _of_calls)(run, [pair for pair in found if pair[1]], gallery)
    absent = [block for each, groups in found for block in _absent(each, groups)] if run.followed else []
    title = "Risk groups within subgroups" if run.followed else "Subgroups of patients"
    return Section(anchor="subgroups", title=title, blocks=[blocks[0], *absent, *blocks[1:]])


def subgroups(results: Results, target: Target) -> list[Subgroup]:
    """The subgroups of a cohort's reported patients (of known diagnosis); none of a covariate that is alike for all."""
    known = _known(results, target)
    names = [name for name in OF_RISK if name in results.patients] if target.followed else results.covariates()
    most = MOST_OF_RISK if target.followed else MOST_LEVELS
    return [
        Subgroup(of=name, name=part, outcomes=known[members.to_numpy()])
        for name in names
        for part, members in parts(results.patients.loc[known.index, name], most=most).items()
    ]


def _by_covariate(found: Sequence[Subgroup]) -> list[tuple[str, list[Subgroup]]]:
    names = dict.fromkeys(each.of for each in found)
    return [(name, [each for each in found if each.of == name]) for name in names]


def _everybody(results: Results, target: Target) -> Subgroup:
    return Subgroup(of="", name="All patients", outcomes=_known(results, target))


def _known(results: Results, target: Target) -> pd.DataFrame:
    outcomes = results.outcomes(target)
    return outcomes if target.followed else outcomes.dropna(subset=["label"])


def _of_risk(run: Run, found: list[tuple[Results, list[Subgroup]]], gallery: Gallery) -> list[Block]:
    target, groups = run.targets[0], {results.key: own for results, own in found}

    def paint(figure: Drawing, *, results: Results) -> None:
        shown = (_everybody(results, target), *groups[results.key])
        lines = [Line(name=each.title, alone=each.ratio, together=None, strong=not each.of) for each in shown]
        forest(figure, lines=lines, title=results.title)

    forests = gallery.by_cohort(
        "subgroup_forest",
        [results for results, _ in found],
        paint,
        alt="Hazard ratio of high against low risk by subgroup",
        caption="Hazard ratio of high against low risk, by subgroup.",
        size=(4.8, 1.64 + 0.34 * max(map(len, groups.values()))),
    )
    return [
        Text(text=RISK_CAUTION, tone="warning"),
        *competing([target]),
        *(_curves(each, own, target, gallery) for each, own in found),
        forests,
        *(_risk_table(each, own) for each, own in found),
    ]


def _absent(results: Results, found: list[Subgroup]) -> list[Block]:
    lacking = [column(name) for name in OF_RISK if name not in {each.of for each in found}]
    text = (
        f"{results.title} has no subgroups by {' and '.join(lacking)}: the column is missing, or all patients have the"
        " same value."
    )
    return [Text(text=text, tone="note")] if lacking else []


def _curves(results: Results, found: list[Subgroup], target: Target, gallery: Gallery) -> Figure:
    panels = []
    for number, each in enumerate(found, start=1):
        p = p_value(each.log_rank)
        title, note = f"{results.title}\n{each.title}", f"Log-rank P {equals(p)}"
        paint = partial(paint_groups, outcomes=each.outcomes, target=target, title=title, note=note)
        alt = f"Kaplan-Meier curves of the risk groups of {results.title}, {each.title}: log-rank P {p}"
        panels.append(gallery.draw(f"subgroup_{number}_{results.key}", paint, alt=alt, size=TALL))
    caption = (
        f"{results.title}. Kaplan-Meier curves of patients at or above and below the locked cut-off of the score for"
        f" {target.label}, within each subgroup."
    )
    return Figure(caption=caption, panels=panels)


def _risk_table(results: Results, found: list[Subgroup]) -> Table:
    rows = []
    for name, own in _by_covariate(found):
        apart = heterogeneity_p([each.ratio for each in own if each.ratio])
        rows.append([column(name), "", "", "", "", p_value(apart.value)])
        rows += [_risk_row(each) for each in own]
    return Table(
        caption=f"Risk groups within subgroups. {results.title}. Hazard ratio of high against low risk (95% interval).",
        header=["", "Patients, high / low", "Events, high / low", "Hazard ratio", "Log-rank P", "Interaction P"],
        rows=rows,
        note="Interaction P: whether the hazard ratios of the subgroups differ, by the test of Altman and Bland (2003)."
        " Hazard ratios that cannot be estimated (a risk group without patients, or without events) are not tested. P"
        " values are not corrected for the number of subgroups.",
    )


def _risk_row(each: Subgroup) -> list[str]:
    high, low = (each.outcomes[each.outcomes["group"] == group]["event"] for group in ("high", "low"))
    counts = [f"{len(high)} / {len(low)}", f"{high.sum()} / {low.sum()}"]
    return [INDENT + each.title, *counts, cell(each.ratio, digits=2), p_value(each.log_rank), ""]


def _of_calls(run: Run, found: list[tuple[Results, list[Subgroup]]], gallery: Gallery) -> list[Block]:
    target, groups = run.targets[0], {results.key: own for results, own in found}

    def paint(figure: Drawing, *, results: Results) -> None:
        drawn = {each.title: each.calls for each in (_everybody(results, target), *groups[results.key])}
        figure.suptitle(results.title, x=0.01, ha="left", fontsize=10, fontweight="bold")
        for axes, (name, (rate, colour)) in zip(figure.subplots(1, 2, sharey=True), RATES.items(), strict=True):
            rates = {title: rate(calls) for title, calls in drawn.items()}
            overall = next(iter(rates.values())).value
            dots(axes, rates, xlabel=name, colours=dict.fromkeys(rates, colour), at=overall)

    figure = gallery.by_cohort(
        "subgroup_rates",
        [results for results, _ in found],
        paint,
        alt="Sensitivity and specificity by subgroup",
        caption="Sensitivity (left) and specificity (right) by subgroup at the locked cut-off; bars are 95% intervals.",
        size=(7.2, 1.46 + 0.26 * max(map(len, groups.values()))),
        columns=1,
    )
    caution = Text(text=CALLS_CAUTION.format(about(target)), tone="warning")
    return [caution, figure, *(_calls_table(each, target, own) for each, own in found)]


def _calls_table(results: Results, target: Target, found: list[Subgroup]) -> Table:
    rows: list[list[str]] = []
    for name, own in _by_covariate(found):
        rows.append([column(name), "", "", "", _apart(own, label=1), "", _apart(own, label=0)])
        rows += [_calls_row(each) for each in own]
    disease, other = outcomes(target)
    return Table(
        caption=f"Subgroups at the locked cut-off, with 95% confidence intervals. {results.title}.",
        header=["", f"{disease} / {other}", "AUROC", "Sensitivity", "P", "Specificity", "P"],
        rows=rows,
        note="P: whether the rate differs between the subgroups of a covariate, by the chi-square test where every cell"
        " has five patients or more, else by Fisher's exact test. P values are not corrected for the number of tests.",
    )


def _apart(own: list[Subgroup], *, label: int) -> str:
    """P that a rate is the same in all subgroups of a covariate; a dash where there is no test."""
    counts = [(each.calls.tp, each.calls.fn) if label else (each.calls.tn, each.calls.fp) for each in own]
    found = attempt(lambda: compare_shares(counts).p)
    return NONE if isinstance(found, str) else p_value(found)


def _calls_row(each: Subgroup) -> list[str]:
    calls = each.calls
    first, second = (cell(rate(calls)) for rate, _ in RATES.values())
    return [INDENT + each.name, f"{calls.tp + calls.fn} / {calls.tn + calls.fp}", each.area, first, "", second, ""]
