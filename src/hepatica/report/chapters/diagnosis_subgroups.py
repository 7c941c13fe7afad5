"""Diagnosis subgroups: how often a disease is found, and how often wrongly, by size, kind of lesion and so on."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from pandas.api.types import is_numeric_dtype

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import Confusion, Estimate, auroc, compare_shares, confusion, sensitivity, specificity
from hepatica.report.chapters.baseline import is_category
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.style import HIGH, LOW, QUIET
from hepatica.report.page.wording import INDENT, NONE, about, column, interval, level, outcomes, p_value

THRESHOLDS = {"tumour_size_cm": 5.0, "age_years": 60.0}
"""Numbers at which patients are parted: 5 cm as in Table 3 of Wang 2021 (doi 10.1038/s41416-021-01511-w); 60 is
ours."""

MOST_LEVELS = 12
"""Covariates of more categories are left out. Ours; Table 1 of Wang 2021 has eleven kinds of lesion."""


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """Patients of one level of a covariate (`of`): their outcomes, and their calls at the locked cut-off."""

    of: str
    name: str
    outcomes: pd.DataFrame
    calls: Confusion

    @property
    def auroc(self) -> Estimate | None:
        """AUROC within the subgroup; None where all its patients are of one kind."""
        if self.outcomes["label"].nunique() < 2:
            return None
        return auroc(self.outcomes["label"].to_numpy(), score=self.outcomes["score"].to_numpy())

    @property
    def rates(self) -> tuple[Estimate, Estimate]:
        """Sensitivity and specificity."""
        return sensitivity(self.calls), specificity(self.calls)


def section(run: Run, gallery: Gallery) -> Section:
    """Sensitivity and specificity at the locked cut-off within each subgroup, drawn and in a table a cohort."""
    title, target = "Subgroups of patients", run.targets[0]
    found = [(each, subgroups(each, target)) for each in run.cohorts]
    if not any(groups for _, groups in found):
        none = "No cohort has a covariate by which its patients could be parted."
        return Section(anchor="subgroups", title=title, blocks=[Text(text=none, tone="note")])
    caution = (
        f"What is known of patients with {about(target)} alone (stage, grade) parts its sensitivity only, kinds of"
        " other lesions part its specificity only. Small subgroups have wide intervals, and nothing is corrected for"
        " their number: what stands out here wants confirming elsewhere."
    )
    parted = [(each, groups) for each, groups in found if groups]
    figure = Figure(
        caption="Sensitivity (left) and specificity (right) by subgroup at the locked cut-off; bars are 95% intervals.",
        panels=[_panel(each, target, groups, gallery) for each, groups in parted],
        columns=1,
    )
    blocks: list[Block] = [Text(text=caution, tone="warning"), figure]
    blocks += [_table(each, target, groups) for each, groups in parted]
    return Section(anchor="subgroups", title=title, blocks=blocks)


def subgroups(results: Results, target: Target) -> list[Subgroup]:
    """The subgroups of a cohort's reported patients whose diagnosis is known; none of a covariate alike for all."""
    known = results.outcomes(target).dropna(subset=["label"])
    return [
        _subgroup(known[members.to_numpy()], of=name, name=part)
        for name in results.covariates()
        for part, members in parts(results.patients.loc[known.index, name]).items()
    ]


def _subgroup(outcomes: pd.DataFrame, *, of: str, name: str) -> Subgroup:
    called = (outcomes["group"] == "high").astype(float)
    return Subgroup(of=of, name=name, outcomes=outcomes, calls=confusion(outcomes["label"], score=called, cutoff=0.5))


def parts(values: pd.Series) -> "dict[str, pd.Series[bool]]":
    """Name and members of each subgroup by a covariate: its categories, or up to and above its threshold.

    Patients without a value are in none; nothing of other numbers, of one subgroup only, or of more than MOST_LEVELS.
    """
    known, name = values.dropna().infer_objects(), str(values.name)
    if name in THRESHOLDS and is_numeric_dtype(values):
        at = THRESHOLDS[name]
        split = {f"≤ {at:g}": values <= at, f"> {at:g}": values > at}
    elif set(known) <= {0, 1}:
        split = {"no": values == 0, "yes": values == 1}
    elif is_category(known):
        split = {level(each): values == each for each in sorted(known.unique(), key=str)}
    else:
        return {}
    split = {part: members.fillna(value=False).astype(bool) for part, members in split.items()}
    split = {part: members for part, members in split.items() if members.any()}
    return split if 2 <= len(split) <= MOST_LEVELS else {}


def _panel(results: Results, target: Target, found: list[Subgroup], gallery: Gallery) -> Panel:
    everybody = _subgroup(results.outcomes(target).dropna(subset=["label"]), of="", name="All patients")
    return gallery.draw(
        f"subgroup_rates_{results.key}",
        partial(_paint, drawn=[everybody, *found], title=results.title),
        alt=f"Sensitivity and specificity by subgroup, {results.title}",
        size=(7.2, 1.2 + 0.26 * (len(found) + 1)),
    )


def _paint(figure: Drawing, *, drawn: list[Subgroup], title: str) -> None:
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    columns = figure.subplots(1, 2, sharey=True)
    for axes, place, name, colour in zip(columns, (0, 1), ("Sensitivity", "Specificity"), (HIGH, LOW), strict=True):
        for y, each in enumerate(drawn):
            rate = each.rates[place]
            if rate.low is not None and rate.high is not None:
                axes.plot([rate.low, rate.high], [y, y], color=colour, linewidth=1.3)
                axes.plot(rate.value, y, "o", color=colour, markersize=4.5)
        overall = drawn[0].rates[place].value
        if np.isfinite(overall):
            axes.axvline(overall, color=QUIET, linewidth=0.8, linestyle=":", zorder=0)
        axes.set(xlim=(-0.02, 1.02), xlabel=name, ylim=(len(drawn) - 0.4, -0.6))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    columns[0].set_yticks(range(len(drawn)), labels=[_called(each) for each in drawn])


def _called(each: Subgroup) -> str:
    return f"{column(each.of)}: {each.name}" if each.of else each.name


def _table(results: Results, target: Target, found: list[Subgroup]) -> Table:
    rows: list[list[str]] = []
    for name in dict.fromkeys(each.of for each in found):
        own = [each for each in found if each.of == name]
        rows.append([column(name), "", "", "", _apart(own, label=1), "", _apart(own, label=0)])
        rows += [_row(each) for each in own]
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
    cells = [(each.calls.tp, each.calls.fn) if label else (each.calls.tn, each.calls.fp) for each in own]
    try:
        return p_value(compare_shares(cells).p)
    except EvaluationError:
        return NONE


def _row(each: Subgroup) -> list[str]:
    counts = f"{each.calls.tp + each.calls.fn} / {each.calls.tn + each.calls.fp}"
    rates = [interval(rate.as_dict()) if np.isfinite(rate.value) else NONE for rate in each.rates]
    area = NONE if each.auroc is None else interval(each.auroc.as_dict())
    return [INDENT + each.name, counts, area, rates[0], "", rates[1], ""]
