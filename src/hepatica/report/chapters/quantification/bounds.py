"""Bounds: errors against the least possible ones, and whether stated uncertainty is true."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from hepatica.evaluate import Estimate
from hepatica.evaluate.groups.quantification import ROBUST, coverage, efficiency, normal_interval
from hepatica.report.chapters.quantification.compared import Compared, by_target, quantified
from hepatica.report.page import Block, Gallery, Run, Section, Table, Text
from hepatica.report.page.wording import cell


def section(run: Run, gallery: Gallery, *, compared: Compared) -> Section:
    """Least errors, efficiency against the Bayesian bound, and coverage of 95 % intervals, by target and method."""
    del gallery  # tables, nothing to draw
    own = quantified(run, kind=compared.own)
    efficiencies = _with_medians(
        own,
        compared,
        lambda rows: _over(rows, bound="bayesian"),
        digits=2,
        caption="Root mean squared error over the root mean squared Bayesian bound of the same spectra.",
        note="Medians over targets: {}. 1 is the best possible. Intervals over bootstrap draws of spectra. The Bayesian"
        " bound is that of a Gaussian with the moments of the priors, which are not Gaussian, and leaves the shifts of"
        " single components at 0: values slightly below 1 can occur.",
    )
    coverages = [
        _with_medians(
            quantified(run, kind=kind),
            compared,
            _covered,
            digits=3,
            caption=f"Share of true values within the method's own 95% interval. {name.capitalize()}.",
            note="Nominal: .93 to .97; medians over targets: {}. Estimate ± 1.96 of the stated standard deviation;"
            " exact limits of the share. Intervals of fits allow for lines and"
            " a baseline that are not those of the model, which these spectra have not: shares above .97 are expected.",
        )
        for kind, name in compared.kinds.items()
    ]
    uncertainty = Text(text=f"{compared.intervals} {compared.training(run)}")
    blocks: list[Block] = [Text(text=compared.bounds), _least(own, compared), efficiencies, uncertainty, *coverages]
    return Section(anchor="bounds", title="Errors against what is possible, and stated uncertainty", blocks=blocks)


def _least(table: pd.DataFrame, compared: Compared) -> Table:
    rows, robust, name = [], [], compared.methods[compared.reference].name
    for target, every in by_target(table):
        own = every[every["method"] == compared.reference]
        least = [f"{np.sqrt((own[bound] ** 2).mean()):.2f}" for bound in ("crlb", "bayesian")]
        robust.append(typical(own))
        over = cell(_over(own, bound="crlb"), digits=2)
        rows.append([target, f"{own['truth'].std():.2f}", *least, over, f"{robust[-1]:.2f}"])
    return Table(
        caption=f"Bounds (root mean square) beside the spread of true values, and {name} compared with the CRLB.",
        header=["Target", "SD of truth, mM", "CRLB, mM", "Bayesian bound, mM", f"{name} / CRLB", "The same, robust"],
        rows=rows,
        note=f"{name} / CRLB: root mean squared error over root mean squared bound, which a few spectra of wide lines"
        " and much noise dominate; robust: 1.48 times the median of |error| / bound, median over targets"
        f" {np.median(robust):.2f}. Least squares restricts concentrations to 0 or more, which the CRLB does not take"
        " into account: where the bound is wide, both fall below 1.",
    )


def typical(own: pd.DataFrame) -> float:
    """1.4826 times the median of |error| over the Cramér-Rao bound of each specimen: 1 where errors are normal."""
    return ROBUST * float(((own["estimate"] - own["truth"]).abs() / own["crlb"]).median())


def _with_medians(
    table: pd.DataFrame,
    compared: Compared,
    statistic: Callable[[pd.DataFrame], Estimate],
    *,
    digits: int,
    caption: str,
    note: str,
) -> Table:
    """A row a target, a cell a method; the medians over targets go into the note."""
    values: dict[str, list[float]] = {name: [] for name in compared.among(table)}

    def text(own: pd.DataFrame) -> str:
        found = statistic(own)
        values[str(own["method"].iloc[0])].append(found.value)
        return cell(found, digits=digits)

    made = compared.by_method(table, text, caption=caption)
    medians = ", ".join(f"{compared.methods[name].name} {np.median(own):.2f}" for name, own in values.items())
    return replace(made, note=note.format(medians))


def _over(own: pd.DataFrame, *, bound: str) -> Estimate:
    return efficiency(own["truth"], estimate=own["estimate"], bound=own[bound])


def _covered(own: pd.DataFrame) -> Estimate:
    low, high = normal_interval(own["estimate"], sd=own["sd"])
    return coverage(own["truth"], low=low, high=high)
