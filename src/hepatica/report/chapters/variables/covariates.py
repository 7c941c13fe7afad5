"""Covariates: how scores differ by a covariate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from pandas.api.types import is_numeric_dtype
from scipy import stats

from hepatica.evaluate import compare_groups
from hepatica.report.chapters.baseline import is_category
from hepatica.report.figures.boxes import box, sideways
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import INK, SERIES, say
from hepatica.report.page.wording import INDENT, NONE, about, attempt, column, equals, level, p_value

SIZE = (3.5, 3.4)
"""Inches of a panel, three of which are side by side."""

MOST_LEVELS = 12
"""Covariates of more categories are left out. Ours; Table 1 of Wang 2021 has eleven kinds of lesion."""

THRESHOLDS: Mapping[str, float] = {"tumour_size_cm": 5.0, "age_years": 60.0}
"""Numbers at which patients are divided: 5 cm is that of the Milan criteria (doi 10.1056/NEJM199603143341104) and of
Table 3 of Wang 2021 (doi 10.1038/s41416-021-01511-w); 60 is ours."""

Parts = Callable[[pd.Series], "dict[str, pd.Series[bool]]"]
"""Name and members of each part of the patients by the values of a covariate."""


def parts(values: pd.Series, *, most: int = MOST_LEVELS) -> "dict[str, pd.Series[bool]]":
    """Name and members of each subgroup by a covariate: its categories, or up to and above its threshold.

    Patients without a value are in none; nothing of other numbers, of one subgroup only, or of more than `most`.
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
    return split if 2 <= len(split) <= most else {}


def divided(threshold: float, below: str, above: str) -> Parts:
    """Patients up to and above a threshold, by these names."""
    return lambda values: {below: values <= threshold, above: values > threshold}


def levels(letter: str, numbers: Sequence[int]) -> Parts:
    """Patients of each of these numbers, called by the letter: F0, F1."""
    return lambda values: {f"{letter}{number}": values == number for number in numbers}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A covariate by which scores are compared: title, column of patients.csv, parts of the patients.

    `printed` holds what a paper prints in (internal, external, all) patients, by part; "P" is its P value.
    """

    title: str
    column: str
    parts: Parts = parts
    printed: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What is compared: `name` and `of` (scores 0..1 to values) of the patients with the disease, `text` a remark.

    Where there is a column `only`, those with a 1 in it count.
    """

    name: str = "Score"
    of: Callable[[np.ndarray], np.ndarray] = np.asarray
    only: str = ""
    text: str = ""


def section(
    run: Run, gallery: Gallery, *, parameters: Sequence[Parameter] | None = None, scale: Scale | None = None
) -> Section | str:
    """Mean and SD of the score of patients with the disease by covariate, in each cohort and in all, with box plots."""
    scale = scale or Scale()
    tables = {each.title: diseased(each, scale) for each in run.cohorts}
    everybody = pd.concat([table.assign(cohort=name) for name, table in tables.items()])
    found = [each for each in parameters or _own(run, everybody) if each.column in everybody]
    if not found or everybody.empty:
        return f"No patient with {about(run.targets[0])} has a covariate by which scores could be compared."
    text = (
        f"{scale.name} of the {len(everybody)} reported patients with {about(run.targets[0])}. {scale.text}P: two"
        " groups by t-test if both are normal, else by the rank-sum test; more groups by the Kruskal-Wallis test. P"
        " values are not corrected for the number of tests."
    )
    panels = [
        gallery.draw(
            f"covariate_{place}_{each.column}",
            partial(paint, table=everybody, parameter=each, ylabel=scale.name),
            alt=f"Box plots of the {scale.name} by {each.title}, all cohorts",
            size=SIZE,
        )
        for place, each in enumerate(found)
    ]
    caption = f"{scale.name}, all cohorts together; boxes are quartiles, each dot is a patient, its colour the cohort."
    blocks: list[Block] = [Text(text=text), Figure(caption=caption, panels=panels, columns=3)]
    blocks += [_table(name, table, found, min(place, 1), scale) for place, (name, table) in enumerate(tables.items())]
    if run.external:
        blocks.append(_table("All cohorts", everybody, found, 2, scale))
    return Section(anchor="covariates", title=f"{scale.name} by covariate", blocks=blocks)


def _own(run: Run, everybody: pd.DataFrame) -> list[Parameter]:
    """Covariates that divide the patients."""
    names = [name for name in run.internal.covariates() if name in everybody and parts(everybody[name])]
    return [Parameter(title=column(name), column=name) for name in names]


def diseased(results: Results, scale: Scale) -> pd.DataFrame:
    """Covariates and `value` (the score on its scale) of the reported patients with the disease, by patient_id."""
    outcomes = results.outcomes(results.targets[0])
    ill = outcomes[outcomes["label"] == 1]
    table = results.patients.loc[ill.index].assign(value=scale.of(ill["score"].to_numpy()))
    return table[table[scale.only] == 1] if scale.only in table else table


def grouped(table: pd.DataFrame, parameter: Parameter) -> dict[str, np.ndarray]:
    """Values of each part of the patients, those of an unknown covariate left out."""
    covariate = table.get(parameter.column, pd.Series(np.nan, index=table.index, name=parameter.column))
    known = table[covariate.notna()]
    split = parameter.parts(covariate.dropna())
    return {name: known.loc[members.to_numpy(bool), "value"].to_numpy(float) for name, members in split.items()}


def compared(groups: Sequence[np.ndarray]) -> tuple[str, float]:
    """Test and P: `compare_groups` of two groups, the Kruskal-Wallis test of more; groups of one patient are left out.

    P is NaN where there is nothing to compare.
    """
    enough = [each for each in groups if each.size >= 2]
    if len(enough) < 2 or np.ptp(np.concatenate(enough)) == 0:
        return "no test", np.nan
    if len(enough) > 2:
        return "Kruskal-Wallis test", float(stats.kruskal(*enough).pvalue)
    found = attempt(lambda: compare_groups(enough[0], second=enough[1]))
    return ("no test", np.nan) if isinstance(found, str) else (found.test, found.p)


def paint(figure: Drawing, *, table: pd.DataFrame, parameter: Parameter, ylabel: str) -> None:
    """A box a group over its patients (columns value and cohort), the colour of a dot its cohort."""
    axes = figure.subplots()
    groups = grouped(table, parameter)
    p = p_value(compared(list(groups.values()))[1])
    axes.set_title(f"{parameter.title}\nP {equals(p)}", fontsize=9)
    if not any(each.size for each in groups.values()):
        say(axes, "Not recorded.")
        return
    names = list(dict.fromkeys(table["cohort"]))
    for place, (part, values) in enumerate(groups.items()):
        box(axes, values, place=place, colour=INK)
        for colour, name in zip(SERIES, names, strict=False):
            own = grouped(table[table["cohort"] == name], parameter).get(part, np.array([]))
            axes.plot(sideways(own.size, place=place), own, "o", color=colour, markersize=2.6, alpha=0.7)
    axes.set_xticks(range(len(groups)), labels=[f"{name}\nn = {each.size}" for name, each in groups.items()])
    axes.set(xlim=(-0.6, len(groups) - 0.4), ylabel=ylabel)
    axes.set_ylim(bottom=0)
    for colour, name in zip(SERIES, names, strict=False):
        axes.plot([], [], "o", color=colour, markersize=4, label=name)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.16), handletextpad=0.1, labelspacing=0.2)


def _table(name: str, table: pd.DataFrame, found: Sequence[Parameter], place: int, scale: Scale) -> Table:
    rows: list[list[str]] = []
    paper = any(each.printed for each in found)
    for each in found:
        groups = grouped(table, each)
        test, p = compared(list(groups.values()))
        theirs = {part: cells[place] or NONE for part, cells in each.printed.items()} if paper else {}
        rows.append([f"{each.title}: {test}", "", p_value(p), *(["", theirs.get("P", NONE)] if paper else [])])
        rows += [
            [INDENT + part, _mean(values), "", *([theirs.get(part, NONE), ""] if paper else [])]
            for part, values in groups.items()
        ]
    return Table(
        caption=f"{scale.name} by covariate, mean ± SD. {name}, n = {len(table)}.",
        header=["", "Mean ± SD (n)", "P", *(["Paper", "Paper's P"] if paper else [])],
        rows=rows,
        note="Patients whose covariate is unknown are left out, and groups of one patient are not tested.",
    )


def _mean(values: np.ndarray) -> str:
    if values.size < 2:
        return f"{values[0]:.4f} (1)" if values.size else "(0)"
    return f"{values.mean():.4f} ± {values.std(ddof=1):.4f} ({values.size})"
