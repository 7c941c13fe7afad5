"""Importance: which variables the score of a system of tables depends on, and how it changes with them."""

from functools import partial
from typing import Any

from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import Estimate
from hepatica.report.figures.forest import estimate, name_rows
from hepatica.report.page import Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import LOW, SERIES, say
from hepatica.report.page.wording import column, heading

NOTE = (
    "Importance: decrease in the statistic when the values of a variable are permuted among patients; each of"
    " several correlated variables may show little. Attribution: the variable's share of the absolute integrated"
    " gradients from the mean patient. Dependence: the mean score if all patients had that value, with the 95%"
    " interval of the mean. None of these shows that changing a variable would change the patient's risk."
)


def section(run: Run, gallery: Gallery) -> Section | str:
    """Permutation importance and partial dependence a cohort; an empty sentence for a system without variables."""
    found = [(each, drawn) for each in run.cohorts if (drawn := each.importance()) is not None]
    if not found:
        return ""
    title = heading(run.targets[0])
    blocks: list[Any] = []
    for results, drawn in found:
        variables = drawn["variables"]
        blocks += [
            gallery.by_cohort(
                "importance",
                [results],
                partial(_paint_drops, drawn=drawn),
                alt="Importance of each variable",
                caption=f"{title}: importance of the variables, {drawn['patients']} patients.",
                size=(5.6, 1.2 + 0.26 * len(variables)),
                columns=1,
            ),
            gallery.by_cohort(
                "dependence",
                [results],
                partial(_paint_dependence, variables=variables),
                alt="Mean score by the value of each variable",
                caption=f"{title}: mean score if all patients had that value, for the most important variables.",
                size=(8.8, 5.0),
                columns=1,
            ),
            _table(results, drawn),
        ]
    return Section(
        anchor="importance", title="Contribution of each variable", blocks=[*blocks, Text(text=NOTE, tone="note")]
    )


def _drop(variable: dict[str, Any], n: int) -> Estimate | None:
    if "value" not in variable:
        return None
    limits = {name: float(variable[name]) for name in ("value", "low", "high")}
    return Estimate(**limits, n=n, method="permutation importance, bootstrap of patients")


def _paint_drops(figure: Drawing, *, results: Results, drawn: dict[str, Any]) -> None:
    axes = figure.subplots()
    axes.set_title(results.title)
    for y, each in enumerate(drawn["variables"]):
        estimate(axes, _drop(each, drawn["patients"]), y=y, colour=LOW)
    names = [_name(each["name"]) for each in drawn["variables"]]
    axes.locator_params(axis="x", nbins=5)
    name_rows(axes, names, xlabel=f"Decrease in {drawn['statistic']} (95% interval)", at=0.0)


def _paint_dependence(figure: Drawing, *, results: Results, variables: list[dict[str, Any]]) -> None:
    shown = [each for each in variables if "dependence" in each]
    panels = figure.subplots(2, 3, sharey=True).ravel()
    for axes, each in zip(panels, shown, strict=False):
        found = each["dependence"]
        axes.plot(found["at"], found["score"], color=SERIES[0], marker=".")
        axes.fill_between(found["at"], found["low"], found["high"], color=SERIES[0], alpha=0.2, linewidth=0)
        axes.set_xlabel(_name(each["name"]))
    for axes in panels[len(shown) :]:
        say(axes, "")
    panels[0].set_ylabel("Mean score")
    panels[3].set_ylabel("Mean score")
    panels[0].set_title(results.title)


def _table(results: Results, drawn: dict[str, Any]) -> Table:
    rows = [
        [_name(each["name"]), str(_drop(each, drawn["patients"]) or ""), f"{each['attribution']:.0%}"]
        for each in drawn["variables"]
    ]
    header = ["", f"Decrease in {drawn['statistic'] or 'statistic'}", "Attribution"]
    return Table(caption=f"{results.title}: importance of each variable, with 95% intervals.", header=header, rows=rows)


def _name(variable: str) -> str:
    """A variable as the stores of tables name it: log10 afp_ng_ml, sex=male, blood.GPC3."""
    table, dot, inner = variable.partition(".")
    if dot:
        return f"{inner} ({table})"
    kind, _, rest = variable.rpartition(" ")
    name, equals, category = rest.partition("=")
    title = column(name)
    if kind and title[1:2].islower():
        title = title[0].lower() + title[1:]
    return f"{kind} {title}{': ' if equals else ''}{category}".strip()
