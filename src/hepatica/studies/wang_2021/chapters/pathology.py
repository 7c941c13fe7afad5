"""Pathology: Table 3 and Figure 3 of Wang 2021, the HCC risk score of patients with HCC by size, stage, fibrosis …"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from scipy import stats

from hepatica.cohort import Target
from hepatica.radiology.risk_score import from_share
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.style import INK, SERIES, say
from hepatica.report.page.wording import INDENT, NONE, p_value, patients
from hepatica.studies.wang_2021.chapters.published import TABLE_3

LARGE_CM = 5.0
"""The paper's threshold of tumour size."""

SEVERE = 3
"""METAVIR stage from which the paper speaks of severe fibrosis or cirrhosis."""

RESECTED = "resected"
"""A column of patients.csv, 1 or 0; where there is one, only resected patients count, as in the paper."""

SEED = 0
"""Of the sideways places of the dots, which mean nothing."""

SIZE = (3.5, 3.4)

Parts = Callable[[pd.Series], "dict[str, pd.Series[bool]]"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One row group of Table 3: what it is called, its column of patients.csv, and the parts of the patients."""

    title: str
    column: str
    parts: Parts


def _at(threshold: float, below: str, above: str) -> Parts:
    return lambda values: {below: values <= threshold, above: values > threshold}


def _levels(letter: str, numbers: Sequence[int]) -> Parts:
    return lambda values: {f"{letter}{number}": values == number for number in numbers}


def _stages(values: pd.Series) -> "dict[str, pd.Series[bool]]":
    """Early and late, whatever letter follows the numeral: IIIA is III."""
    numeral = values.astype("string").str.extract(r"^(IV|III|II|I)", expand=False)
    return {"I + II": numeral.isin(["I", "II"]), "III + IV": numeral.isin(["III", "IV"])}


PARAMETERS: Mapping[str, Parameter] = {
    "size": Parameter(title="Tumour size", column="tumour_size_cm", parts=_at(LARGE_CM, "≤ 5 cm", "> 5 cm")),
    "stage": Parameter(title="TNM stage", column="tnm_stage", parts=_stages),
    "number": Parameter(title="Tumour number", column="tumour_number", parts=_at(1, "solitary", "multiple")),
    "invasion": Parameter(title="Major vascular invasion", column="vascular_invasion", parts=_at(0, "no", "yes")),
    "fibrosis": Parameter(title="Fibrosis stage (METAVIR)", column="metavir", parts=_levels("F", range(5))),
    "severe": Parameter(title="Severe fibrosis", column="metavir", parts=_at(SEVERE - 1, "F0 to F2", "F3 and F4")),
    "grade": Parameter(title="Histologic grade", column="grade", parts=_levels("G", range(1, 5))),
}
"""In the order of Table 3."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two P values of the same groups: by means (`test`) and by ranks; NaN where there is nothing to compare."""

    test: str
    p: float
    rank_p: float


def section(run: Run, gallery: Gallery) -> Section:
    """Mean and SD of the score by every parameter, in each cohort and in all, with box plots of all."""
    target, title = run.targets[0], "Risk score and pathology"
    tables = {each.title: risks(each, target) for each in run.cohorts}
    everybody = pd.concat([table.assign(cohort=name) for name, table in tables.items()])
    known = [key for key, each in PARAMETERS.items() if each.column in everybody]
    if not known or everybody.empty:
        none = Text(text="No patient with HCC has pathology told in patients.csv.", tone="note")
        return Section(anchor="pathology", title=title, blocks=[none])
    told = (
        "The HCC risk score is -log10(1 - p), weighted over the images of a patient; 1 means odds of about nine to one."
        f" Here are the {patients(len(everybody))} with HCC that were reported on. The paper names none of its tests."
        " Here P is by Welch's t-test of two groups and by one-way analysis of variance of more, as means and standard"
        " deviations suggest; beside it by ranks (Mann and Whitney; Kruskal and Wallis), which such skewed scores want."
        " Nothing is corrected for the number of tests."
    )
    panels = [_boxes(everybody, key, gallery) for key in known]
    caption = (
        "Figure 3 of the paper. HCC risk score by pathology, patients of all cohorts together; boxes are quartiles,"
        " each dot is a patient, its colour the cohort."
    )
    blocks: list[Block] = [Text(text=told), Figure(caption=caption, panels=panels, columns=3)]
    places = [(name, table, min(place, 1)) for place, (name, table) in enumerate(tables.items())]
    blocks += [_table(name, table, known, place) for name, table, place in places]
    if run.external:
        blocks.append(_table("All cohorts", everybody, known, 2))
    return Section(anchor="pathology", title=title, blocks=blocks)


def risks(results: Results, target: Target) -> pd.DataFrame:
    """Covariates and `risk` (the HCC risk score, 0 or more) of the reported patients with HCC, by patient_id."""
    outcomes = results.outcomes(target)
    ill = outcomes[outcomes["label"] == 1]
    table = results.patients.loc[ill.index]
    # A score is stored as 1 - 10^-risk; the last one below 1 stands for those rounded up to it.
    share = np.minimum(ill["score"].to_numpy(), np.nextafter(1, 0))
    table = table.assign(risk=from_share(share))
    return table[table[RESECTED] == 1] if RESECTED in table else table


def grouped(table: pd.DataFrame, parameter: Parameter) -> dict[str, np.ndarray]:
    """Risk scores of each part of the patients, those of unknown pathology left out."""
    values = table.get(parameter.column, pd.Series(np.nan, index=table.index))
    known = table[values.notna()]
    split = parameter.parts(values.dropna())
    return {name: known.loc[members.to_numpy(bool), "risk"].to_numpy(float) for name, members in split.items()}


def compared(groups: Sequence[np.ndarray]) -> Compared:
    """Welch's t-test of two groups, analysis of variance of more, and the rank test; groups of one patient are out."""
    enough = [each for each in groups if each.size >= 2]
    test = "Welch's t-test" if len(groups) == 2 else "analysis of variance"
    if len(enough) < 2 or all(np.ptp(each) == 0 for each in enough):
        return Compared(test=test, p=np.nan, rank_p=np.nan)
    if len(enough) == 2:
        return Compared(
            test="Welch's t-test",
            p=float(stats.ttest_ind(*enough, equal_var=False).pvalue),
            rank_p=float(stats.mannwhitneyu(*enough).pvalue),
        )
    return Compared(test=test, p=float(stats.f_oneway(*enough).pvalue), rank_p=float(stats.kruskal(*enough).pvalue))


def _boxes(table: pd.DataFrame, key: str, gallery: Gallery) -> Panel:
    parameter = PARAMETERS[key]
    return gallery.draw(
        f"pathology_{key}",
        partial(paint, table=table, parameter=parameter),
        alt=f"Box plots of the HCC risk score by {parameter.title[:1].lower()}{parameter.title[1:]}, all cohorts",
        size=SIZE,
    )


def paint(figure: Drawing, *, table: pd.DataFrame, parameter: Parameter) -> None:
    """A box a group over its patients (columns risk and cohort), the colour of a dot its cohort."""
    axes = figure.subplots()
    groups = grouped(table, parameter)
    axes.set_title(f"{parameter.title}\n{_told(compared(list(groups.values())))}", fontsize=9)
    if not any(each.size for each in groups.values()):
        say(axes, "Nothing is told of it.")
        return
    names = list(dict.fromkeys(table["cohort"]))
    sideways = np.random.default_rng(SEED)
    for place, (part, values) in enumerate(groups.items()):
        if values.size:
            _box(axes, values, place)
        for colour, name in zip(SERIES, names, strict=False):
            own = grouped(table[table["cohort"] == name], parameter)[part]
            axes.plot(place + sideways.uniform(-0.2, 0.2, own.size), own, "o", color=colour, markersize=2.6, alpha=0.7)
    axes.set_xticks(range(len(groups)), labels=[f"{name}\nn = {each.size}" for name, each in groups.items()])
    axes.tick_params(axis="x", length=0)
    axes.set(xlim=(-0.6, len(groups) - 0.4), ylabel="HCC risk score")
    axes.set_ylim(bottom=0)
    for colour, name in zip(SERIES, names, strict=False):
        axes.plot([], [], "o", color=colour, markersize=4, label=name)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.16), handletextpad=0.1, labelspacing=0.2)


def _box(axes: Axes, values: np.ndarray, place: int) -> None:
    line = {"color": INK, "linewidth": 1.1}
    axes.boxplot(
        values, positions=[place], widths=0.55, showfliers=False, manage_ticks=False, boxprops=line,
        whiskerprops=line, capprops=line, medianprops=line | {"linewidth": 2.2},
    )  # fmt: skip


def _told(found: Compared) -> str:
    p = p_value(found.p)
    return f"P {p if p.startswith(('<', 'not')) else f'= {p}'}"


def _table(name: str, table: pd.DataFrame, known: Sequence[str], place: int) -> Table:
    where = ("internal test set", "external test set", "both test sets")[place]
    rows: list[list[str]] = []
    for key in known:
        parameter, printed = PARAMETERS[key], TABLE_3[key]
        groups = grouped(table, parameter)
        found = compared(list(groups.values()))
        rows.append(
            [f"{parameter.title}: {found.test}", "", p_value(found.p), p_value(found.rank_p), "", printed["P"][place]]
        )
        rows += [
            [INDENT + part, _mean(each), "", "", printed[part][place] or NONE, ""] for part, each in groups.items()
        ]
    return Table(
        caption=f"HCC risk score by pathology, mean ± SD. {name}, patients with HCC, n = {len(table)}.",
        header=["", "Mean ± SD (n)", "P, means", "P, ranks", f"Paper, {where}", "Paper's P"],
        rows=rows,
        note="Patients of whom a parameter is not told are left out of it, groups of one patient out of the tests. The"
        " paper's scores cannot come from its printed formula with all images of a patient (see Readings of the"
        " risk score): its columns may be compared with each other, not with ours.",
    )


def _mean(values: np.ndarray) -> str:
    if values.size < 2:
        return f"{values[0]:.4f} (1)" if values.size else "(0)"
    return f"{values.mean():.4f} ± {values.std(ddof=1):.4f} ({values.size})"
