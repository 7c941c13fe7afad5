"""Subgroups: risk groups, or calls at the locked cut-off, within patients of one level of a covariate."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import (
    Confusion,
    HazardRatio,
    auroc,
    compare_shares,
    confusion,
    cox,
    heterogeneity_p,
    log_rank_p,
    sensitivity,
    specificity,
)
from hepatica.report.chapters.covariates import MOST_LEVELS, parts
from hepatica.report.chapters.follow_up.survival import TALL, competing, free_of
from hepatica.report.figures import kaplan_meier
from hepatica.report.figures.forest import Line, estimate, forest, name_rows
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.style import HIGH, LOW
from hepatica.report.page.wording import INDENT, NONE, about, column, equals, interval, outcomes, p_value

OF_RISK = ("vascular_invasion", "tumour_size_cm")
"""Covariates within which risk groups are compared: those of Li 2025."""

MOST_OF_RISK = 4
"""Levels of these at most. Ours."""

RISK_CAUTION = (
    "A subgroup with P above 0.05 is no evidence that the score does nothing there: it may only be small. Nor do a"
    " P below 0.05 in one subgroup and one above it in the other show that they differ; that is what the test of"
    " interaction is for, and it too finds only large differences in cohorts of this size."
)
CALLS_CAUTION = (
    "What is known of patients with {0} alone (stage, grade) divides its sensitivity only, kinds of other lesions its"
    " specificity only. Small subgroups have wide intervals, and nothing is corrected for their number: a subgroup that"
    " stands out here needs confirmation elsewhere."
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
    def ratio(self) -> HazardRatio | None:
        """Hazard ratio of high against low risk; None where there is none."""
        followed = {name: self.outcomes[name].to_numpy() for name in ("time", "event")}
        try:
            return cox(pd.DataFrame({"high": self.high}), **followed)["high"]
        except EvaluationError:
            return None

    @property
    def log_rank(self) -> float:
        """P of high against low risk."""
        return log_rank_p(
            self.outcomes["time"].to_numpy(), event=self.outcomes["event"].to_numpy(), group=self.high
        ).value

    @property
    def calls(self) -> Confusion:
        """Calls at the locked cut-off."""
        return confusion(self.outcomes["label"], score=self.high, cutoff=0.5)

    @property
    def area(self) -> str:
        """AUROC; a dash where all patients are of one kind."""
        if self.outcomes["label"].nunique() < 2:
            return NONE
        return interval(auroc(self.outcomes["label"], score=self.outcomes["score"]).as_dict())


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
    target = run.targets[0]
    blocks: list[Block] = [Text(text=RISK_CAUTION, tone="warning"), *competing([target])]
    blocks += [_curves(each, groups, target, gallery) for each, groups in found]
    forests = [_forest(each, groups, target, gallery) for each, groups in found]
    blocks.append(Figure(caption="Hazard ratio of high against low risk, by subgroup.", panels=forests))
    return [*blocks, *(_risk_table(each, groups) for each, groups in found)]


def _absent(results: Results, found: list[Subgroup]) -> list[Block]:
    lacking = [column(name) for name in OF_RISK if name not in {each.of for each in found}]
    told = f"{results.title} has no subgroups by {' and '.join(lacking)}: the column is missing, or all are alike."
    return [Text(text=told, tone="note")] if lacking else []


def _curves(results: Results, found: list[Subgroup], target: Target, gallery: Gallery) -> Figure:
    panels = []
    for number, each in enumerate(found, start=1):
        p = p_value(each.log_rank)
        paint = partial(
            kaplan_meier.paint,
            drawn=kaplan_meier.arms(each.outcomes),
            title=f"{results.title}\n{each.title}",
            told=f"Log-rank P {equals(p)}",
            ylabel=free_of(target),
            horizon=target.horizon,
        )
        alt = f"Kaplan-Meier curves of the risk groups of {results.title}, {each.title}: log-rank P {p}"
        panels.append(gallery.draw(f"subgroup_{number}_{results.key}", paint, alt=alt, size=TALL))
    caption = (
        f"{results.title}. Kaplan-Meier curves of patients at or above and below the locked cut-off of the score for"
        f" {target.label}, within each subgroup."
    )
    return Figure(caption=caption, panels=panels)


def _forest(results: Results, found: list[Subgroup], target: Target, gallery: Gallery) -> Panel:
    lines = [
        Line(name=each.title, alone=each.ratio.ratio if each.ratio else None, together=None, strong=not each.of)
        for each in (_everybody(results, target), *found)
    ]
    return gallery.draw(
        f"subgroup_forest_{results.key}",
        partial(forest, lines=lines, title=results.title),
        alt=f"Hazard ratio of high against low risk by subgroup, {results.title}",
        size=(4.8, 1.3 + 0.34 * len(lines)),
    )


def _risk_table(results: Results, found: list[Subgroup]) -> Table:
    rows = []
    for name, own in _by_covariate(found):
        apart = heterogeneity_p([each.ratio.ratio for each in own if each.ratio])
        rows.append([column(name), "", "", "", "", p_value(apart.value)])
        rows += [_risk_row(each) for each in own]
    return Table(
        caption=f"Risk groups within subgroups. {results.title}. Hazard ratio of high against low risk (95% interval).",
        header=["", "Patients, high / low", "Events, high / low", "Hazard ratio", "Log-rank P", "Interaction P"],
        rows=rows,
        note="Interaction P: whether the hazard ratios of the subgroups differ, by the test of Altman and Bland (2003)."
        " Hazard ratios that cannot be estimated (a risk group without patients, or without events) stay out of it."
        " Nothing is corrected for the number of subgroups.",
    )


def _risk_row(each: Subgroup) -> list[str]:
    sides = [each.outcomes[each.outcomes["group"] == group] for group in ("high", "low")]
    return [
        INDENT + each.title,
        " / ".join(str(len(side)) for side in sides),
        " / ".join(str(int(side["event"].sum())) for side in sides),
        NONE if each.ratio is None else interval(each.ratio.ratio.as_dict(), digits=2),
        p_value(each.log_rank),
        "",
    ]


def _of_calls(run: Run, found: list[tuple[Results, list[Subgroup]]], gallery: Gallery) -> list[Block]:
    target = run.targets[0]
    panels = [
        gallery.draw(
            f"subgroup_rates_{each.key}",
            partial(_paint_rates, drawn=[_everybody(each, target), *groups], title=each.title),
            alt=f"Sensitivity and specificity by subgroup, {each.title}",
            size=(7.2, 1.2 + 0.26 * (len(groups) + 1)),
        )
        for each, groups in found
    ]
    caption = "Sensitivity (left) and specificity (right) by subgroup at the locked cut-off; bars are 95% intervals."
    caution = Text(text=CALLS_CAUTION.format(about(target)), tone="warning")
    tables = [_calls_table(each, target, groups) for each, groups in found]
    return [caution, Figure(caption=caption, panels=panels, columns=1), *tables]


def _paint_rates(figure: Drawing, *, drawn: list[Subgroup], title: str) -> None:
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    for axes, (name, (rate, colour)) in zip(figure.subplots(1, 2, sharey=True), RATES.items(), strict=True):
        rates = [rate(each.calls) for each in drawn]
        for y, found in enumerate(rates):
            estimate(axes, found, y=y, colour=colour)
        name_rows(axes, [each.title for each in drawn], xlabel=name, at=rates[0].value)
        axes.set_xlim(-0.02, 1.02)


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
        " holds five patients or more, else by Fisher's exact test. Nothing is corrected for the number of tests.",
    )


def _apart(own: list[Subgroup], *, label: int) -> str:
    """P that a rate is the same in all subgroups of a covariate."""
    calls = [each.calls for each in own]
    try:
        return p_value(compare_shares([(each.tp, each.fn) if label else (each.tn, each.fp) for each in calls]).p)
    except EvaluationError:
        return NONE


def _calls_row(each: Subgroup) -> list[str]:
    calls = each.calls
    found = [rate(calls) for rate, _ in RATES.values()]
    first, second = (interval(one.as_dict()) if np.isfinite(one.value) else NONE for one in found)
    return [INDENT + each.name, f"{calls.tp + calls.fn} / {calls.tn + calls.fp}", each.area, first, "", second, ""]
