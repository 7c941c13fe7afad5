"""Errors: how far each method is from the truth, target by target, and which method errs less."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate.groups.paired_errors import MethodComparison, compare_methods
from hepatica.evaluate.groups.quantification import quantity_errors
from hepatica.report.chapters.quantification.compared import Compared, by_target, quantified, targets
from hepatica.report.page import Block, Figure, Gallery, Run, Section, Table, Text
from hepatica.report.page.style import INK, log_scale
from hepatica.report.page.wording import cell, p_value

SETS = 10
"""Replicate sets (ours): a published P of at most .004 is what nine or ten pairs can give, and no more."""


def section(run: Run, gallery: Gallery, *, compared: Compared) -> Section:
    """How often the first of a pair errs less, then by kind: mean errors, ratios and their tests; seconds."""
    tables = {kind: quantified(run, kind=kind) for kind in compared.kinds}
    pairs = {kind: [versus(table, *pair) for pair in compared.pairs] for kind, table in tables.items()}
    count = next(iter(tables.values()))["spectrum"].nunique()
    blocks: list[Block] = [
        Text(text=f"{count} {compared.about} {compared.training(run)}"),
        Text(text=compared.claim),
        _claim(pairs, compared),
        _figure(tables, compared, gallery),
    ]
    for kind, table in tables.items():
        blocks += _of_kind(table, pairs[kind], f"{compared.kinds[kind].capitalize()}.", compared)
    return Section(anchor="errors", title="Errors of quantities", blocks=[*blocks, _seconds(tables, compared)])


def errors(table: pd.DataFrame, *, method: str) -> pd.DataFrame:
    """Estimate less truth of one method: a row a specimen, a column a target."""
    own = table[table["method"] == method]
    wide = own.assign(error=own["estimate"] - own["truth"]).pivot(index="spectrum", columns="target", values="error")
    return wide[targets(own)]


def versus(table: pd.DataFrame, first: str, second: str) -> tuple[MethodComparison, ...]:
    """Each target of a table, in its order."""
    own, other = (errors(table, method=name) for name in (first, second))
    return compare_methods(own, second=other, targets=list(own.columns), sets=SETS)


def _claim(pairs: dict[str, list[tuple[MethodComparison, ...]]], compared: Compared) -> Table:
    rows: list[list[str]] = []
    for kind, found in pairs.items():
        rows.append([f"Simulated spectra with {compared.kinds[kind]}"])
        own = [counts(each, level=compared.level) for each in found]
        rows += [[name, *cells] for name, cells in zip(compared.titles, own, strict=True)]
    return Table(
        caption="Targets in which networks err less than fits.",
        header=["", "Lower mean |error|", "Significantly, by spectrum", f"Significantly, {SETS} sets", "Median ratio"],
        rows=rows,
        note=f"Significantly: P of Wilcoxon's signed-rank test is at most {compared.level}; by spectrum after Holm's"
        f" correction, and only where most spectra also have the lower error; of the means of {SETS} replicate sets"
        " without correction. Ratio: of mean |error|, below 1 where the network is better.",
    )


def counts(found: Sequence[MethodComparison], *, level: float) -> list[str]:
    """In how many targets the first is lower, better, and better in sets; the median ratio."""
    flags = [(each.lower, each.better(level), each.better_in_sets(level)) for each in found]
    median = float(np.median([each.by_spectrum.ratio.value for each in found]))
    return [*(f"{sum(column)} of {len(found)}" for column in zip(*flags, strict=True)), f"{median:.2f}"]


def _figure(tables: dict[str, pd.DataFrame], compared: Compared, gallery: Gallery) -> Figure:
    panels = [
        gallery.draw(
            f"errors_{kind.replace(' ', '_')}",
            partial(paint_errors, table=table, title=f"Simulated: {compared.kinds[kind]}", compared=compared),
            alt=f"Mean error of each method by target, {compared.kinds[kind]}",
            size=(9, 4),
        )
        for kind, table in tables.items()
    ]
    caption = (
        "Mean |error| over the spread (SD) of the true values, by target. The black line is the error of always"
        " predicting the median: an error above it is no better than that."
    )
    return Figure(caption=caption, panels=panels, columns=1)


def paint_errors(figure: Drawing, *, table: pd.DataFrame, title: str, compared: Compared) -> None:
    """Bars of the mean errors over the spread, a group a target."""
    axes = figure.subplots()
    names, found = targets(table), compared.among(table)
    truth = table[table["method"] == found[0]].groupby("target")["truth"]
    spread, blind = truth.std(), truth.agg(lambda values: (values - values.median()).abs().mean())
    mean = (table["estimate"] - table["truth"]).abs().groupby([table["method"], table["target"]]).mean()
    places = np.arange(len(names))
    for place, method in enumerate(found):
        values = [mean[method, name] / spread[name] for name in names]
        x, look = places + 0.8 * (place + 0.5) / len(found) - 0.4, compared.methods[method]
        axes.bar(x, values, width=0.8 / len(found), color=look.colour, label=look.name)
    axes.hlines((blind / spread)[names], places - 0.45, places + 0.45, color=INK, linewidth=1)
    axes.set_xticks(places, labels=names, rotation=60, ha="right")
    axes.set_xlim(-0.6, len(names) - 0.4)
    log_scale(axes)
    axes.set(ylabel="mean |error| / SD of truth", title=title)
    axes.legend(ncols=4, loc="lower right", bbox_to_anchor=(1, 1))


def _of_kind(
    table: pd.DataFrame, pairs: list[tuple[MethodComparison, ...]], kind: str, compared: Compared
) -> list[Table]:
    """Mean errors, their ratios and the tests of one kind of specimen."""
    targetwise = list(zip(*pairs, strict=True))
    return [
        _means(table, kind, compared),
        Table(
            caption="Ratio of mean |error| with its 95% interval, and share of spectra in which the network errs less."
            f" {kind}",
            header=["Target", *compared.titles],
            rows=[
                [row[0].by_spectrum.target, *(f"{cell(e.by_spectrum.ratio, digits=2)}; {e.share:.0%}" for e in row)]
                for row in targetwise
            ],
            note="Below 1 and above 50% the network is better. Intervals over bootstrap draws of spectra.",
        ),
        Table(
            caption=f"P of the signed-rank tests: by spectrum after Holm's correction; of {SETS} replicate sets."
            f" {kind}",
            header=["Target", *compared.titles],
            rows=[
                [row[0].by_spectrum.target, *(f"{p_value(e.by_spectrum.p_holm)}; {p_value(e.by_set.p)}" for e in row)]
                for row in targetwise
            ],
            note="Two-sided: the ratios show which method is better. The least possible P of the sets is .002.",
        ),
    ]


def _means(table: pd.DataFrame, kind: str, compared: Compared) -> Table:
    means = compared.by_method(
        table,
        _mean,
        caption=f"Mean |error| in mM; in brackets bias and slope of the estimate on the truth. {kind}",
        note="A slope below 1: estimates shrink to the mean of the priors, which hides differences between patients.",
    )
    rows = []
    for (_, own), row in zip(by_target(table), means.rows, strict=True):
        truth = own[own["method"] == compared.among(table)[0]]["truth"]
        rows.append([row[0], f"{truth.mean():.2f} ({truth.std():.2f})", *row[1:]])
    return replace(means, header=["Target", "Truth, mean (SD)", *means.header[1:]], rows=rows)


def _mean(own: pd.DataFrame) -> str:
    found = quantity_errors(own["truth"], estimate=own["estimate"])
    return f"{found['mae'].value:.2f} ({found['bias'].value:+.2f}, {found['slope'].value:.2f})"


def _seconds(tables: dict[str, pd.DataFrame], compared: Compared) -> Table:
    first = next(iter(tables.values()))
    seconds = {kind: table.groupby("method")["seconds"].first() for kind, table in tables.items()}
    names = compared.among(first)
    return Table(
        caption="Seconds a spectrum.",
        header=["Simulated spectra with", *compared.heads(first)],
        rows=[[compared.kinds[kind], *(f"{found[name]:.4f}" for name in names)] for kind, found in seconds.items()],
        note="Measured once, in this run on this machine, whatever else it was doing: all spectra in one call, bounds"
        " and flags included.",
    )
