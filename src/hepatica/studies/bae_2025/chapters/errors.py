"""Errors: claim 1 of Bae 2025, whether networks err less than least squares in each of the 20 targets."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate.groups.quantification import quantity_errors
from hepatica.report.page.blocks import Block, Figure, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.style import INK
from hepatica.report.page.wording import interval, p_value
from hepatica.studies.bae_2025.chapters.found import (
    COLOURS,
    KINDS,
    NAMES,
    learnt,
    methods,
    on_log_scale,
    quantified,
    targets,
)
from hepatica.studies.bae_2025.chapters.versus import PAIRS, PAPER_P, SETS, Versus, versus

TOLD = (
    "simulated spectra, on which nothing was trained or calibrated, were quantified by every method, twice: with the"
    " nuisance that the fits' model knows (shifts, widths, phases, a baseline of splines, noise), where least squares"
    " is at its best; and with every nuisance (also water, echoes, eddy currents, breath, relaxation, other baselines),"
    " as patients' spectra surely have. All methods are told the noise."
)

CLAIM = (
    "The paper reports that its qCNNs err less than a nonlinear least-squares fit in all 15 metabolites and 5 lipids,"
    " with P at most .004; its spectra, ranges, networks and test are not public. Least squares knows no concentrations"
    " beforehand, networks have learnt the priors: they can beat it by these alone. The fair yardstick is the MAP fit,"
    " least squares with the same priors. All spectra are drawn from these priors; what becomes of the methods"
    " elsewhere, the chapter on robustness tells."
)

VERSUS = [f"{NAMES[first]} v {NAMES[second]}" for first, second in PAIRS]


def section(run: Run, gallery: Gallery) -> Section:
    """Claim 1, then by kind of spectra: mean errors of each method, ratios of networks to fits, and their tests."""
    told, tables = learnt(run), {kind: quantified(run, spoilt_by=kind) for kind in KINDS}
    compared = {kind: [versus(table, *pair) for pair in PAIRS] for kind, table in tables.items()}
    count = tables["everything"]["spectrum"].nunique()
    blocks: list[Block] = [Text(text=f"{count} {TOLD} {told}"), Text(text=CLAIM)]
    blocks += [_claim(compared), _figure(tables, gallery)]
    for kind, table in tables.items():
        blocks += [_means(table, kind), _ratios(compared[kind], kind), _tests(compared[kind], kind)]
    return Section(anchor="errors", title="Errors of quantities", blocks=[*blocks, _seconds(tables)])


def _claim(compared: dict[str, list[list[Versus]]]) -> Table:
    rows: list[list[str]] = []
    for kind, pairs in compared.items():
        rows.append([f"Simulated spectra with {KINDS[kind]}"])
        rows += [[name, *_counts(found)] for name, found in zip(VERSUS, pairs, strict=True)]
    return Table(
        caption="Claim 1: targets in which networks err less than fits.",
        header=["", "Lower mean |error|", "Surely so, by spectrum", f"Surely so, {SETS} sets", "Median ratio"],
        rows=rows,
        note=f"Surely so: P of Wilcoxon's signed-rank test is at most {PAPER_P}; by spectrum after Holm's correction,"
        f" and only where most spectra have the lower error too; of the means of {SETS} replicate sets without"
        " correction, as the paper may have done. Ratio: of mean |error|, below 1 where the network is better.",
    )


def _counts(found: Sequence[Versus]) -> list[str]:
    told = [(each.lower, each.better, each.better_in_sets) for each in found]
    median = float(np.median([each.by_spectrum.ratio.value for each in found]))
    return [*(f"{sum(column)} of {len(found)}" for column in zip(*told, strict=True)), f"{median:.2f}"]


def _figure(tables: dict[str, pd.DataFrame], gallery: Gallery) -> Figure:
    panels = [
        gallery.draw(
            f"errors_{kind.replace(' ', '_')}", partial(_paint, table=table, title=f"Simulated: {KINDS[kind]}"),
            alt=f"Mean error of each method by target, {KINDS[kind]}", size=(9, 4),
        )
        for kind, table in tables.items()
    ]  # fmt: skip
    caption = (
        "Mean |error| over the spread (SD) of the true values, by target. The black line is what one errs who always"
        " says their median: above it, no number is better."
    )
    return Figure(caption=caption, panels=panels, columns=1)


def _paint(figure: Drawing, *, table: pd.DataFrame, title: str) -> None:
    axes = figure.subplots()
    names, found = targets(table), methods(table)
    truth = table[table["method"] == found[0]].groupby("target")["truth"]
    spread, blind = truth.std(), truth.agg(lambda values: (values - values.median()).abs().mean())
    off = (table["estimate"] - table["truth"]).abs()
    mean = off.groupby([table["method"], table["target"]]).mean()
    places = np.arange(len(names))
    for place, method in enumerate(found):
        values = [mean[method, name] / spread[name] for name in names]
        x = places + 0.8 * (place + 0.5) / len(found) - 0.4
        axes.bar(x, values, width=0.8 / len(found), color=COLOURS[method], label=NAMES[method])
    axes.hlines((blind / spread)[names], places - 0.45, places + 0.45, color=INK, linewidth=1)
    axes.set_xticks(places, labels=names, rotation=60, ha="right")
    axes.set_xlim(-0.6, len(names) - 0.4)
    on_log_scale(axes)
    axes.set_ylabel("mean |error| / SD of truth")
    axes.set_title(title)
    axes.legend(ncols=4, loc="lower right", bbox_to_anchor=(1, 1))


def _means(table: pd.DataFrame, kind: str) -> Table:
    names = methods(table)
    rows = []
    for target in targets(table):
        own = table[table["target"] == target]
        truth = own[own["method"] == names[0]]["truth"]
        cells = [_cell(own[own["method"] == name]) for name in names]
        rows.append([target, f"{truth.mean():.2f} ({truth.std():.2f})", *cells])
    return Table(
        caption="Mean |error| in mM; in brackets bias and slope of the estimate on the truth."
        f" {KINDS[kind].capitalize()}.",
        header=["Target", "Truth, mean (SD)", *(NAMES[name] for name in names)],
        rows=rows,
        note="A slope below 1: estimates are drawn to the mean of the priors, which hides how patients differ.",
    )


def _cell(own: pd.DataFrame) -> str:
    found = quantity_errors(own["truth"], estimate=own["estimate"])
    return f"{found['mae'].value:.2f} ({found['bias'].value:+.2f}, {found['slope'].value:.2f})"


def _ratios(pairs: Sequence[Sequence[Versus]], kind: str) -> Table:
    return Table(
        caption="Ratio of mean |error| with its 95% interval, and share of spectra in which the network errs less."
        f" {KINDS[kind].capitalize()}.",
        header=["Target", *VERSUS],
        rows=[[each[0].by_spectrum.target, *map(_ratio, each)] for each in zip(*pairs, strict=True)],
        note="Below 1 and above 50% the network is better. Intervals over bootstrap draws of spectra.",
    )


def _ratio(found: Versus) -> str:
    return f"{interval(found.by_spectrum.ratio.as_dict(), digits=2)}; {found.share:.0%}"


def _tests(pairs: Sequence[Sequence[Versus]], kind: str) -> Table:
    return Table(
        caption=f"P of the signed-rank tests: by spectrum after Holm's correction; of {SETS} replicate sets."
        f" {KINDS[kind].capitalize()}.",
        header=["Target", *VERSUS],
        rows=[[each[0].by_spectrum.target, *map(_p, each)] for each in zip(*pairs, strict=True)],
        note="Two-sided: the ratios tell which method is better. The least possible P of the sets is .002.",
    )


def _p(found: Versus) -> str:
    return f"{p_value(found.by_spectrum.p_holm)}; {p_value(found.by_set.p)}"


def _seconds(tables: dict[str, pd.DataFrame]) -> Table:
    names = methods(next(iter(tables.values())))
    first = {kind: table.groupby("method")["seconds"].first() for kind, table in tables.items()}
    return Table(
        caption="Seconds a spectrum.",
        header=["Simulated spectra with", *(NAMES[name] for name in names)],
        rows=[[KINDS[kind], *(f"{found[name]:.4f}" for name in names)] for kind, found in first.items()],
        note="Measured once, in this run on this machine, with whatever else it had to do: all spectra in one call,"
        " bounds and flags included.",
    )
