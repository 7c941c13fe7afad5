"""Errors: claim 1 of Bae 2025, whether networks err less than least squares in each of the 20 targets."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate.paired_errors import ErrorComparison, compare_errors, in_sets
from hepatica.evaluate.quantification import quantity_errors
from hepatica.report.bae_2025.found import COLOURS, NAMES, errors, methods, on_log_scale, quantified, targets
from hepatica.report.blocks import Figure, Section, Table, Text
from hepatica.report.gallery import Gallery
from hepatica.report.results import Run
from hepatica.report.wording import interval, p_value

SETS = 10
"""Replicate sets (ours): the paper's P of at most .004 is what nine or ten pairs can give, and no more."""

PAPER_P = 0.004
"""The paper: lower errors in all metabolites and lipids, P <= .004 (abstract)."""


def section(run: Run, gallery: Gallery) -> Section:
    """Mean errors of each method, then the ratio of each network's to least squares' and to MAP's, with its tests."""
    table = quantified(run, spoilt_by="signal model")
    told = (
        f"{table['spectrum'].nunique()} simulated spectra, which nothing was trained or calibrated on, were quantified"
        " by every method. The paper reports that its qCNNs err less than a nonlinear least-squares fit in all 15"
        " metabolites and 5 lipids, with P at most .004; its spectra, ranges, network and test are not public. Least"
        " squares knows nothing beforehand, networks have learnt the priors: a network can beat it by the prior alone."
        " The fair yardstick is the MAP fit, least squares with the same priors. All spectra come from these priors;"
        " how it goes elsewhere, the chapter on robustness tells."
    )
    names = [name for name in methods(table) if name in {"qcnn", "qcnn+gn"}]
    comparisons = [_compared(table, name, against) for name in names for against in ("nls", "map")]
    panel = gallery.draw("errors", partial(_paint, table=table), alt="Mean error of each method by target", size=(9, 4))
    figure = Figure(
        caption="Mean |error| over the spread (SD) of the true values, by target.", panels=[panel], columns=1
    )
    return Section(
        anchor="errors",
        title="Errors of quantities",
        blocks=[Text(text=told), figure, _means(table), *comparisons],
    )


def compared(table: pd.DataFrame, first: str, second: str) -> tuple[list[ErrorComparison], list[ErrorComparison]]:
    """Comparisons of two methods, by single spectra and by replicate sets."""
    own, other = (errors(table, method=name) for name in (first, second))
    names = list(own.columns)
    by_spectrum = compare_errors(own, second=other, targets=names)
    by_set = compare_errors(in_sets(own, sets=SETS), second=in_sets(other, sets=SETS), targets=names)
    return list(by_spectrum), list(by_set)


def _compared(table: pd.DataFrame, first: str, second: str) -> Table:
    by_spectrum, by_set = compared(table, first, second)
    rows = [
        [one.target, interval(one.ratio.as_dict(), digits=2), p_value(one.p), p_value(one.p_holm), p_value(other.p)]
        for one, other in zip(by_spectrum, by_set, strict=True)
    ]
    lower = sum(one.ratio.value < 1 and one.p_holm <= PAPER_P for one in by_spectrum)
    median = float(np.median([one.ratio.value for one in by_spectrum]))
    return Table(
        caption=f"{NAMES[first]} against {NAMES[second]}: ratio of mean |error|, below 1 where the first is better.",
        header=["Target", "Ratio", "P", "P, Holm", f"P, {SETS} sets"],
        rows=rows,
        note=f"Lower with P (Holm) of at most {PAPER_P} in {lower} of {len(rows)} targets; median ratio {median:.2f}."
        f" Wilcoxon's signed-rank test, pair by pair; in the last column of the means of {SETS} replicate sets, whose"
        " smallest possible P is .002.",
    )


def _means(table: pd.DataFrame) -> Table:
    names = methods(table)
    rows = []
    for target in targets(table):
        own = table[table["target"] == target]
        cells = [_cell(own[own["method"] == name]) for name in names]
        rows.append([target, f"{own['truth'].mean():.2f} ({own['truth'].std():.2f})", *cells])
    return Table(
        caption="Mean |error| in mM; in brackets bias and slope of the estimate on the truth.",
        header=["Target", "Truth, mean (SD)", *(NAMES[name] for name in names)],
        rows=rows,
        note="A slope below 1: estimates are drawn to the mean of the priors, which hides how patients differ.",
    )


def _cell(own: pd.DataFrame) -> str:
    found = quantity_errors(own["truth"], estimate=own["estimate"])
    return f"{found['mae'].value:.2f} ({found['bias'].value:+.2f}, {found['slope'].value:.2f})"


def _paint(figure: Drawing, *, table: pd.DataFrame) -> None:
    axes = figure.subplots()
    names, found = targets(table), methods(table)
    spread = table.groupby("target")["truth"].std()
    off = (table["estimate"] - table["truth"]).abs()
    mean = off.groupby([table["method"], table["target"]]).mean()
    for place, method in enumerate(found):
        values = [mean[method, name] / spread[name] for name in names]
        x = np.arange(len(names)) + 0.8 * (place + 0.5) / len(found) - 0.4
        axes.bar(x, values, width=0.8 / len(found), color=COLOURS[method], label=NAMES[method])
    axes.set_xticks(range(len(names)), labels=names, rotation=60, ha="right")
    on_log_scale(axes)
    axes.set_ylabel("mean |error| / SD of truth")
    axes.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, 1.12))
