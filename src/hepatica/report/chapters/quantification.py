"""Quantification: methods compared on simulated specimens of known content: errors, bounds, intervals, robustness.

Tables of the run's folder: `quantified.parquet`, a row a specimen (column spectrum), target and method: truth,
estimate, sd, crlb and bayesian (bounds on the standard deviation), seconds, and spoilt_by, the kind of specimen;
`robustness.parquet`, a row a condition (sweep, level), method and target: mae, the mean |error|.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.groups.paired_errors import ErrorComparison, compare_errors, in_sets
from hepatica.evaluate.groups.quantification import ROBUST, coverage, efficiency, normal_interval, quantity_errors
from hepatica.report.page.blocks import Block, Figure, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.style import INK
from hepatica.report.page.wording import interval, p_value

SETS = 10
"""Replicate sets (ours): a published P of at most .004 is what nine or ten pairs can give, and no more."""

AS_TRAINED = "as trained"
"""The sweep of the conditions of training."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a method is called and drawn."""

    name: str
    colour: str
    line: str = "-"
    marker: str = "o"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What is compared: `methods` and `kinds` of specimens by their name in the tables, `pairs` of methods.

    `reference` is the method of no prior; `own` the kind of specimen for which the bounds hold; `level` the P that a
    difference must not exceed. `about`, `claim`, `bounds`, `intervals` and `sweeps` are the texts of the chapters,
    `learnt` says what the networks learnt from.
    """

    methods: Mapping[str, Method]
    kinds: Mapping[str, str]
    pairs: Sequence[tuple[str, str]]
    reference: str
    own: str
    level: float
    about: str
    claim: str
    bounds: str
    intervals: str
    sweeps: str
    learnt: Callable[[Run], str]

    @property
    def titles(self) -> list[str]:
        """Heads of the pairs."""
        return [f"{self.methods[first].name} vs. {self.methods[second].name}" for first, second in self.pairs]

    def among(self, table: pd.DataFrame) -> list[str]:
        """Methods of a table, in their order."""
        return [name for name in self.methods if name in set(table["method"])]

    def heads(self, table: pd.DataFrame) -> list[str]:
        """Names of the methods of a table."""
        return [self.methods[name].name for name in self.among(table)]


def quantified(run: Run, *, kind: str) -> pd.DataFrame:
    """The rows of one kind of specimen."""
    table = pd.read_parquet(run.folder / "quantified.parquet")
    return table[table["spoilt_by"] == kind]


def targets(table: pd.DataFrame) -> list[str]:
    """Targets of a table, in their order."""
    return list(dict.fromkeys(table["target"]))


def errors(table: pd.DataFrame, *, method: str) -> pd.DataFrame:
    """Estimate less truth of one method: a row a specimen, a column a target."""
    own = table[table["method"] == method]
    wide = own.assign(error=own["estimate"] - own["truth"]).pivot(index="spectrum", columns="target", values="error")
    return wide[targets(own)]


@dataclass(frozen=True, kw_only=True)
class Versus:
    """One target by two methods: compared specimen by specimen, and by the means of replicate sets.

    `share` is that of the specimens in which the first errs less.
    """

    by_spectrum: ErrorComparison
    by_set: ErrorComparison
    share: float

    @property
    def lower(self) -> bool:
        """Whether the mean |error| of the first is the lower one."""
        return self.by_spectrum.ratio.value < 1

    def better(self, level: float) -> bool:
        """Whether it is, also in most specimens, and not by chance after Holm's correction.

        A signed-rank test may find the method worse whose mean is better, where a few fits went far astray.
        """
        return self.lower and self.share > 0.5 and self.by_spectrum.p_holm <= level

    def better_in_sets(self, level: float) -> bool:
        """The same of replicate sets, without correction."""
        return self.by_set.ratio.value < 1 and self.by_set.p <= level


def versus(table: pd.DataFrame, first: str, second: str) -> list[Versus]:
    """Each target of a table, in its order."""
    own, other = (errors(table, method=name) for name in (first, second))
    names = list(own.columns)
    by_spectrum = compare_errors(own, second=other, targets=names)
    by_set = compare_errors(in_sets(own, sets=SETS), second=in_sets(other, sets=SETS), targets=names)
    shares = (own.abs() < other.abs()).mean()
    return [
        Versus(by_spectrum=one, by_set=sets, share=float(shares[one.target]))
        for one, sets in zip(by_spectrum, by_set, strict=True)
    ]


def errors_section(run: Run, gallery: Gallery, *, compared: Compared) -> Section:
    """How often the first of a pair errs less, then by kind: mean errors, ratios and their tests; seconds."""
    tables = {kind: quantified(run, kind=kind) for kind in compared.kinds}
    pairs = {kind: [versus(table, *pair) for pair in compared.pairs] for kind, table in tables.items()}
    count = next(iter(tables.values()))["spectrum"].nunique()
    blocks: list[Block] = [Text(text=f"{count} {compared.about} {compared.learnt(run)}"), Text(text=compared.claim)]
    blocks += [_claim(pairs, compared), _figure(tables, compared, gallery)]
    for kind, table in tables.items():
        told = f" {compared.kinds[kind].capitalize()}."
        blocks.append(_means(table, told, compared))
        blocks.append(
            Table(
                caption=f"Ratio of mean |error| with its 95% interval, and share of spectra in which the network errs"
                f" less.{told}",
                header=["Target", *compared.titles],
                rows=_by_pair(pairs[kind], _ratio),
                note="Below 1 and above 50% the network is better. Intervals over bootstrap draws of spectra.",
            )
        )
        blocks.append(
            Table(
                caption=f"P of the signed-rank tests: by spectrum after Holm's correction; of {SETS} replicate sets."
                f"{told}",
                header=["Target", *compared.titles],
                rows=_by_pair(pairs[kind], _p),
                note="Two-sided: the ratios show which method is better. The least possible P of the sets is .002.",
            )
        )
    return Section(anchor="errors", title="Errors of quantities", blocks=[*blocks, _seconds(tables, compared)])


def _claim(pairs: dict[str, list[list[Versus]]], compared: Compared) -> Table:
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
        f" correction, and only where most spectra have the lower error too; of the means of {SETS} replicate sets"
        " without correction. Ratio: of mean |error|, below 1 where the network is better.",
    )


def counts(found: Sequence[Versus], *, level: float) -> list[str]:
    """In how many targets the first is lower, better, and better in sets; the median ratio."""
    told = [(each.lower, each.better(level), each.better_in_sets(level)) for each in found]
    median = float(np.median([each.by_spectrum.ratio.value for each in found]))
    return [*(f"{sum(column)} of {len(found)}" for column in zip(*told, strict=True)), f"{median:.2f}"]


def _by_pair(pairs: Sequence[Sequence[Versus]], cell: Callable[[Versus], str]) -> list[list[str]]:
    return [[each[0].by_spectrum.target, *map(cell, each)] for each in zip(*pairs, strict=True)]


def _ratio(found: Versus) -> str:
    return f"{interval(found.by_spectrum.ratio.as_dict(), digits=2)}; {found.share:.0%}"


def _p(found: Versus) -> str:
    return f"{p_value(found.by_spectrum.p_holm)}; {p_value(found.by_set.p)}"


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
        " predicting the median: above it, no number is better."
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
    on_log_scale(axes)
    axes.set(ylabel="mean |error| / SD of truth", title=title)
    axes.legend(ncols=4, loc="lower right", bbox_to_anchor=(1, 1))


def on_log_scale(axes: Axes) -> None:
    """A logarithmic y axis with plain numbers."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _means(table: pd.DataFrame, told: str, compared: Compared) -> Table:
    rows = []
    for target, own in _by_target(table):
        truth = own[own["method"] == compared.among(table)[0]]["truth"]
        cells = [_errors(own[own["method"] == name]) for name in compared.among(table)]
        rows.append([target, f"{truth.mean():.2f} ({truth.std():.2f})", *cells])
    return Table(
        caption=f"Mean |error| in mM; in brackets bias and slope of the estimate on the truth.{told}",
        header=["Target", "Truth, mean (SD)", *compared.heads(table)],
        rows=rows,
        note="A slope below 1: estimates are drawn to the mean of the priors, which hides how patients differ.",
    )


def _by_target(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(target, table[table["target"] == target]) for target in targets(table)]


def _errors(own: pd.DataFrame) -> str:
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
        note="Measured once, in this run on this machine, with whatever else it had to do: all spectra in one call,"
        " bounds and flags included.",
    )


def bounds_section(run: Run, gallery: Gallery, *, compared: Compared) -> Section:
    """Least errors, efficiency against the Bayesian bound, and coverage of 95 % intervals, by target and method."""
    del gallery  # tables, nothing to draw
    own = quantified(run, kind=compared.own)
    blocks: list[Block] = [Text(text=compared.bounds), _least(own, compared)]
    blocks.append(
        _of_methods(
            own,
            compared,
            of=partial(_over, bound="bayesian"),
            digits=2,
            caption="Root mean squared error over the root mean squared Bayesian bound of the same spectra.",
            note="Medians over targets: {}. 1 is as good as can be. Intervals over bootstrap draws of spectra. The"
            " Bayesian bound is that of a Gaussian with the priors' moments, which the priors are not, and leaves the"
            " shifts of single components at 0: values a little below 1 can occur.",
        )
    )
    blocks.append(Text(text=f"{compared.intervals} {compared.learnt(run)}"))
    blocks += [
        _of_methods(
            quantified(run, kind=kind),
            compared,
            of=_covered,
            digits=3,
            caption=f"Share of true values within the method's own 95% interval. {told.capitalize()}.",
            note="Nominal: .93 to .97; medians over targets: {}. Estimate ± 1.96 of the stated standard deviation;"
            " exact limits of the share.",
        )
        for kind, told in compared.kinds.items()
    ]
    return Section(anchor="bounds", title="Errors against what is possible, and stated uncertainty", blocks=blocks)


def _least(table: pd.DataFrame, compared: Compared) -> Table:
    rows, robust, name = [], [], compared.methods[compared.reference].name
    for target, every in _by_target(table):
        own = every[every["method"] == compared.reference]
        least = [f"{np.sqrt((own[bound] ** 2).mean()):.2f}" for bound in ("crlb", "bayesian")]
        robust.append(typical(own))
        whole = interval(_over(own, bound="crlb").as_dict(), digits=2)
        rows.append([target, f"{own['truth'].std():.2f}", *least, whole, f"{robust[-1]:.2f}"])
    return Table(
        caption=f"Bounds (root mean square) beside the spread of true values, and {name} compared with the CRLB.",
        header=["Target", "SD of truth, mM", "CRLB, mM", "Bayesian bound, mM", f"{name} / CRLB", "The same, robust"],
        rows=rows,
        note=f"{name} / CRLB: root mean squared error over root mean squared bound, which a few spectra of wide lines"
        " and much noise decide; robust: 1.48 times the median of |error| / bound, median over targets"
        f" {np.median(robust):.2f}. Least squares keeps to concentrations of 0 or more, which the CRLB does not know:"
        " where the bound is wide, both fall below 1.",
    )


def typical(own: pd.DataFrame) -> float:
    """1.4826 times the median of |error| over the Cramér-Rao bound of each specimen: 1 where errors are normal."""
    return ROBUST * float(((own["estimate"] - own["truth"]).abs() / own["crlb"]).median())


def _of_methods(
    table: pd.DataFrame,
    compared: Compared,
    *,
    of: Callable[[pd.DataFrame], Estimate],
    digits: int,
    caption: str,
    note: str,
) -> Table:
    """A row a target, a cell a method; the medians over targets go into the note."""
    names = compared.among(table)
    found = {target: [of(own[own["method"] == name]) for name in names] for target, own in _by_target(table)}
    medians = [np.median([each.value for each in column]) for column in zip(*found.values(), strict=True)]
    told = ", ".join(f"{name} {median:.2f}" for name, median in zip(compared.heads(table), medians, strict=True))
    return Table(
        caption=caption,
        header=["Target", *compared.heads(table)],
        rows=[[target, *(interval(each.as_dict(), digits=digits) for each in row)] for target, row in found.items()],
        note=note.format(told),
    )


def _over(own: pd.DataFrame, *, bound: str) -> Estimate:
    return efficiency(own["truth"], estimate=own["estimate"], bound=own[bound])


def _covered(own: pd.DataFrame) -> Estimate:
    low, high = normal_interval(own["estimate"], sd=own["sd"])
    return coverage(own["truth"], low=low, high=high)


def robustness_section(run: Run, gallery: Gallery, *, compared: Compared) -> Section:
    """A panel a sweep, and the table of all levels."""
    table = relative(pd.read_parquet(run.folder / "robustness.parquet"), reference=compared.reference)
    sweeps = [name for name in dict.fromkeys(table["sweep"]) if name != AS_TRAINED]
    panels = [
        gallery.draw(
            f"robustness_{place}",
            partial(paint_sweep, table=table, sweep=name, compared=compared),
            alt=f"Errors of each method against {name}",
        )
        for place, name in enumerate(sweeps)
    ]
    told = f"{compared.methods[compared.reference].name} as trained"
    caption = f"Errors in simulated spectra under other conditions; 1 is {told}."
    rows = []
    for (sweep, level), own in table.groupby(["sweep", "level"], sort=False):
        found = own.set_index("method")["error"]
        rows.append([f"{sweep} {level}".strip(), *(f"{found[name]:.2f}" for name in compared.among(table))])
    every = Table(
        caption=f"Mean over targets of mean |error| over that of {told}, in simulated spectra.",
        header=["Condition", *compared.heads(table)],
        rows=rows,
    )
    blocks: list[Block] = [Text(text=compared.sweeps), Figure(caption=caption, panels=panels, columns=3), every]
    return Section(anchor="robustness", title="Robustness", blocks=blocks)


def relative(table: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """Mean over targets of mae over that of the reference as trained: a row a sweep, level and method, column error."""
    trained = table[(table["sweep"] == AS_TRAINED) & (table["method"] == reference)].set_index("target")["mae"]
    by = ["sweep", "level", "method"]
    ratio = table["mae"] / table["target"].map(trained)
    return table.assign(error=ratio).groupby(by, sort=False, as_index=False)[["error"]].mean()


def paint_sweep(figure: Drawing, *, table: pd.DataFrame, sweep: str, compared: Compared) -> None:
    """Levels of one sweep, joined; before them, alone, the conditions of training."""
    axes = figure.subplots()
    for method in compared.among(table):
        own, look = table[table["method"] == method], compared.methods[method]
        trained, levels = own[own["sweep"] == AS_TRAINED], own[own["sweep"] == sweep]
        drawn: dict[str, Any] = {"color": look.colour, "marker": look.marker, "fillstyle": "none", "markersize": 7}
        axes.plot(["trained"], trained["error"], **drawn)
        axes.plot(levels["level"], levels["error"], linestyle=look.line, label=look.name, **drawn)
    axes.set_ylabel("error, relative")
    axes.set_title(sweep, pad=22)
    on_log_scale(axes)
    axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 0.99), columnspacing=1, handlelength=1.6, borderpad=0)
