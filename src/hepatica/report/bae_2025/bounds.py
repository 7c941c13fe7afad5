"""Bounds: how near each method comes to the least error possible, and whether its stated uncertainty is true."""

import numpy as np
import pandas as pd

from hepatica.evaluate.quantification import coverage, efficiency, normal_interval
from hepatica.report.bae_2025.found import NAMES, methods, quantified, targets
from hepatica.report.blocks import Section, Table, Text
from hepatica.report.gallery import Gallery
from hepatica.report.results import Run
from hepatica.report.wording import interval


def section(run: Run, gallery: Gallery) -> Section:
    """Efficiency against the Bayesian bound and Cramer-Rao's, and coverage of 95 % intervals, by target and method."""
    del gallery  # two tables, nothing to draw
    table = quantified(run, spoilt_by="signal model")
    told = (
        "The Cramér-Rao bound is the least standard deviation of an estimate that knows nothing beforehand; an estimate"
        " with priors may go below it, down to the Bayesian bound. Root mean squared errors stand here over the root"
        " mean squared bounds of the same spectra: 1 is as good as can be. A bound far below the spread of the true"
        " values means that the spectrum tells the quantity; where it is above, any number printed is the prior's."
    )
    return Section(
        anchor="bounds",
        title="Errors against what is possible, and stated uncertainty",
        blocks=[Text(text=told), _efficiency(table), _coverage(table)],
    )


def _efficiency(table: pd.DataFrame) -> Table:
    names = methods(table)
    rows = []
    for target in targets(table):
        own = table[table["target"] == target]
        first = own[own["method"] == names[0]]
        least = [f"{np.sqrt((first[bound] ** 2).mean()):.2f}" for bound in ("crlb", "bayesian")]
        rows.append([target, f"{first['truth'].std():.2f}", *least, *(_over(own, name) for name in names)])
    return Table(
        caption="Root mean squared error over the Bayesian bound, by target.",
        header=["Target", "SD of truth, mM", "CRLB, mM", "Bayesian, mM", *(NAMES[name] for name in names)],
        rows=rows,
        note="Intervals over bootstrap draws of spectra. The Bayesian bound is that of a Gaussian with the priors'"
        " moments, which the priors are not: small values below 1 can occur.",
    )


def _over(own: pd.DataFrame, method: str) -> str:
    chosen = own[own["method"] == method]
    found = efficiency(chosen["truth"], estimate=chosen["estimate"], bound=chosen["bayesian"])
    return interval(found.as_dict(), digits=2)


def _coverage(table: pd.DataFrame) -> Table:
    names = methods(table)
    rows = [[target, *(_covered(table, target, name) for name in names)] for target in targets(table)]
    return Table(
        caption="Share of true values within the method's own 95% interval.",
        header=["Target", *(NAMES[name] for name in names)],
        rows=rows,
        note="Wanted .93 to .97. Estimate ± 1.96 of the stated standard deviation; exact limits of the share.",
    )


def _covered(table: pd.DataFrame, target: str, method: str) -> str:
    own = table[(table["target"] == target) & (table["method"] == method)]
    low, high = normal_interval(own["estimate"], sd=own["sd"])
    return interval(coverage(own["truth"], low=low, high=high).as_dict(), digits=3)
