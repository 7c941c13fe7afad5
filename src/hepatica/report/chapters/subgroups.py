"""Subgroups: whether the risk groups part patients with and without vascular invasion, with small and large tumours."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pandas as pd
from pandas.api.types import is_numeric_dtype

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import HazardRatio, cox, heterogeneity_p, log_rank_p
from hepatica.report.chapters.factors import MOST_LEVELS
from hepatica.report.chapters.survival import TALL, competing, free_of
from hepatica.report.figures import kaplan_meier
from hepatica.report.figures.forest import Line, forest
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.wording import INDENT, NONE, column, interval, level, p_value

SUBGROUPS: Mapping[str, float | None] = {"vascular_invasion": None, "tumour_size_cm": 5.0}
"""Covariates patients are parted by, those of Li 2025; numbers at a threshold: 5 cm is that of the Milan criteria
(Mazzaferro 1996, doi 10.1056/NEJM199603143341104)."""


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """Patients of one level of a covariate (`of`), their outcomes, and how the risk groups differ among them."""

    of: str
    name: str
    outcomes: pd.DataFrame
    ratio: HazardRatio | None
    log_rank: float


def section(run: Run, gallery: Gallery) -> Section:
    """Curves, hazard ratios and log-rank P of the risk groups within each subgroup, and the test of interaction."""
    title, target = "Risk groups within subgroups", run.targets[0]
    found = [(each, subgroups(each, target)) for each in run.cohorts]
    absent = [block for each, groups in found for block in _absent(each, groups)]
    if not any(groups for _, groups in found):
        return Section(anchor="subgroups", title=title, blocks=absent)
    caution = (
        "A subgroup with P above 0.05 is no evidence that the score does nothing there: it may only be small. Nor do a"
        " P below 0.05 in one subgroup and one above it in the other show that they differ; that is what the test of"
        " interaction is for, and it too finds only large differences in cohorts of this size."
    )
    blocks: list[Block] = [Text(text=caution, tone="warning"), *absent, *competing([target])]
    parted = [(each, groups) for each, groups in found if groups]
    blocks += [_curves(each, groups, target, gallery) for each, groups in parted]
    forests = [_forest(each, groups, target, gallery) for each, groups in parted]
    blocks.append(Figure(caption="Hazard ratio of high against low risk, by subgroup.", panels=forests))
    blocks += [_table(each, groups) for each, groups in parted]
    return Section(anchor="subgroups", title=title, blocks=blocks)


def subgroups(results: Results, target: Target) -> list[Subgroup]:
    """The subgroups of a cohort's reported patients; none of a covariate that is missing or the same for all."""
    outcomes = results.outcomes(target)
    return [
        _subgroup(of=name, name=part, outcomes=outcomes[members.to_numpy()])
        for name, threshold in SUBGROUPS.items()
        if name in results.patients
        for part, members in parts(results.patients.loc[outcomes.index, name], threshold=threshold).items()
    ]


def parts(values: pd.Series, *, threshold: float | None) -> "dict[str, pd.Series[bool]]":
    """Name and members of each subgroup by a covariate: its levels, or up to and above a threshold.

    Patients without a value are in none; nothing when there is one subgroup only, or more than MOST_LEVELS of them.
    """
    known, name = values.dropna(), column(str(values.name))
    if threshold is not None and is_numeric_dtype(values):
        split = {f"{name} ≤ {threshold:g}": values <= threshold, f"{name} > {threshold:g}": values > threshold}
        split = {part: members for part, members in split.items() if members.any()}
    elif set(known) <= {0, 1}:
        split = {f"{name}: {word}": values == code for code, word in ((0, "no"), (1, "yes")) if (values == code).any()}
    else:
        split = {f"{name}: {level(each)}": values == each for each in sorted(known.unique(), key=str)}
    return split if 2 <= len(split) <= MOST_LEVELS else {}


def _subgroup(*, of: str, name: str, outcomes: pd.DataFrame) -> Subgroup:
    time, event = outcomes["time"].to_numpy(), outcomes["event"].to_numpy()
    high = (outcomes["group"] == "high").astype(float).to_numpy()
    try:
        ratio = cox(pd.DataFrame({"high": high}), time=time, event=event)["high"]
    except EvaluationError:
        ratio = None
    return Subgroup(
        of=of, name=name, outcomes=outcomes, ratio=ratio, log_rank=log_rank_p(time, event=event, group=high).value
    )


def _absent(results: Results, found: list[Subgroup]) -> list[Block]:
    lacking = [column(name) for name in SUBGROUPS if name not in {each.of for each in found}]
    told = f"{results.title} cannot be parted by {' and '.join(lacking)}: the column is missing, or all are alike."
    return [Text(text=told, tone="note")] if lacking else []


def _curves(results: Results, found: list[Subgroup], target: Target, gallery: Gallery) -> Figure:
    panels = [_panel(results, each, target, gallery, number=n) for n, each in enumerate(found, start=1)]
    caption = (
        f"{results.title}. Kaplan-Meier curves of patients at or above and below the locked cut-off of the score for"
        f" {target.label}, within each subgroup."
    )
    return Figure(caption=caption, panels=panels)


def _panel(results: Results, each: Subgroup, target: Target, gallery: Gallery, *, number: int) -> Panel:
    p = p_value(each.log_rank)
    paint = partial(
        kaplan_meier.paint,
        drawn=kaplan_meier.arms(each.outcomes),
        title=f"{results.title}\n{each.name}",
        told=f"Log-rank P {p}" if p.startswith(("<", "not")) else f"Log-rank P = {p}",
        ylabel=free_of(target),
        horizon=target.horizon,
    )
    alt = f"Kaplan-Meier curves of the risk groups of {results.title}, {each.name}: log-rank P {p}"
    return gallery.draw(f"subgroup_{number}_{results.key}", paint, alt=alt, size=TALL)


def _forest(results: Results, found: list[Subgroup], target: Target, gallery: Gallery) -> Panel:
    everybody = _subgroup(of="", name="All patients", outcomes=results.outcomes(target))
    lines = [
        Line(name=each.name, alone=each.ratio.ratio if each.ratio else None, together=None, strong=each is everybody)
        for each in (everybody, *found)
    ]
    return gallery.draw(
        f"subgroup_forest_{results.key}",
        partial(forest, lines=lines, title=results.title),
        alt=f"Hazard ratio of high against low risk by subgroup, {results.title}",
        size=(4.8, 1.3 + 0.34 * len(lines)),
    )


def _table(results: Results, found: list[Subgroup]) -> Table:
    rows = []
    for name in dict.fromkeys(each.of for each in found):
        own = [each for each in found if each.of == name]
        apart = heterogeneity_p([each.ratio.ratio for each in own if each.ratio])
        rows.append([column(name), "", "", "", "", p_value(apart.value)])
        rows += [_row(each) for each in own]
    return Table(
        caption=f"Risk groups within subgroups. {results.title}. Hazard ratio of high against low risk (95% interval).",
        header=["", "Patients, high / low", "Events, high / low", "Hazard ratio", "Log-rank P", "Interaction P"],
        rows=rows,
        note="Interaction P: whether the hazard ratios of the subgroups differ, by the test of Altman and Bland (2003)."
        " Hazard ratios that cannot be estimated (a risk group without patients, or without events) stay out of it."
        " Nothing is corrected for the number of subgroups.",
    )


def _row(each: Subgroup) -> list[str]:
    sides = [each.outcomes[each.outcomes["group"] == group] for group in ("high", "low")]
    return [
        INDENT + each.name,
        " / ".join(str(len(side)) for side in sides),
        " / ".join(str(int(side["event"].sum())) for side in sides),
        NONE if each.ratio is None else interval(each.ratio.ratio.as_dict(), digits=2),
        p_value(each.log_rank),
        "",
    ]
