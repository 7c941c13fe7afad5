"""Bounds: how near each method comes to the least error possible, and whether its stated uncertainty is true."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.groups.quantification import ROBUST, coverage, efficiency, normal_interval
from hepatica.report.page.blocks import Block, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.wording import interval
from hepatica.studies.bae_2025.chapters.found import KINDS, NAMES, learnt, methods, quantified, targets


def section(run: Run, gallery: Gallery) -> Section:
    """Least errors, efficiency against both bounds, and coverage of 95 % intervals, by target and method."""
    del gallery  # tables, nothing to draw
    tables = {kind: quantified(run, spoilt_by=kind) for kind in KINDS}
    own = tables["signal model"]
    told = (
        "The Cramér-Rao bound (CRLB) is the least standard deviation of an unbiased estimate that knows nothing of"
        " concentrations beforehand; one with priors may go below it, down to the Bayesian bound. Both are of the fits'"
        " model, at the true concentrations, widths and phases of each spectrum, so they are held against the spectra"
        " with its nuisance alone. Where the CRLB is far below the spread of the true values, the spectrum tells the"
        " quantity; where it is above, whatever is printed is the prior's."
    )
    covered = (
        "Stated uncertainty is put to the test on both kinds of spectra. That of the fits holds where their model does;"
        f" that of the networks was calibrated on simulated spectra like those they learnt from. {learnt(run)}"
    )
    blocks: list[Block] = [Text(text=told), _least(own), _efficiency(own), Text(text=covered)]
    blocks += [_coverage(table, kind) for kind, table in tables.items()]
    return Section(
        anchor="bounds",
        title="Errors against what is possible, and stated uncertainty",
        blocks=blocks,
    )


def _least(table: pd.DataFrame) -> Table:
    rows, robust = [], []
    for target in targets(table):
        own = table[(table["target"] == target) & (table["method"] == "nls")]
        least = [f"{np.sqrt((own[bound] ** 2).mean()):.2f}" for bound in ("crlb", "bayesian")]
        robust.append(typical(own))
        whole = interval(_over(own, "crlb").as_dict(), digits=2)
        rows.append([target, f"{own['truth'].std():.2f}", *least, whole, f"{robust[-1]:.2f}"])
    return Table(
        caption="Bounds (root mean square) beside the spread of true values, and NLS held against the CRLB.",
        header=["Target", "SD of truth, mM", "CRLB, mM", "Bayesian bound, mM", "NLS / CRLB", "The same, robust"],
        rows=rows,
        note="NLS / CRLB: root mean squared error over root mean squared bound, which a few spectra of wide lines and"
        " much noise decide; robust: 1.48 times the median of |error| / bound, median over targets"
        f" {np.median(robust):.2f}. Least squares keeps to concentrations of 0 or more, which the CRLB does not know:"
        " where the bound is wide, both fall below 1.",
    )


def typical(own: pd.DataFrame) -> float:
    """1.4826 times the median of |error| over the Cramér-Rao bound of each spectrum: 1 where errors are normal."""
    return ROBUST * float(((own["estimate"] - own["truth"]).abs() / own["crlb"]).median())


def _efficiency(table: pd.DataFrame) -> Table:
    names = methods(table)
    rows, found = [], []
    for target in targets(table):
        own = table[table["target"] == target]
        found.append([_over(own[own["method"] == name], "bayesian") for name in names])
        rows.append([target, *(interval(each.as_dict(), digits=2) for each in found[-1])])
    medians = [f"{NAMES[name]} {_median(each)}" for name, each in zip(names, zip(*found, strict=True), strict=True)]
    return Table(
        caption="Root mean squared error over the root mean squared Bayesian bound of the same spectra.",
        header=["Target", *(NAMES[name] for name in names)],
        rows=rows,
        note=f"Medians over targets: {', '.join(medians)}. 1 is as good as can be. Intervals over bootstrap draws of"
        " spectra. The Bayesian bound is that of a Gaussian with the priors' moments, which the priors are not, and"
        " leaves the shifts of single components at 0: values a little below 1 can occur.",
    )


def _over(own: pd.DataFrame, bound: str) -> Estimate:
    return efficiency(own["truth"], estimate=own["estimate"], bound=own[bound])


def _median(found: Sequence[Estimate]) -> str:
    return f"{np.median([each.value for each in found]):.2f}"


def _coverage(table: pd.DataFrame, kind: str) -> Table:
    names = methods(table)
    rows, found = [], []
    for target in targets(table):
        found.append([_covered(table, target, name) for name in names])
        rows.append([target, *(interval(each.as_dict()) for each in found[-1])])
    medians = [f"{NAMES[name]} {_median(each)}" for name, each in zip(names, zip(*found, strict=True), strict=True)]
    return Table(
        caption=f"Share of true values within the method's own 95% interval. {KINDS[kind].capitalize()}.",
        header=["Target", *(NAMES[name] for name in names)],
        rows=rows,
        note=f"Wanted .93 to .97; medians over targets: {', '.join(medians)}. Estimate ± 1.96 of the stated standard"
        " deviation; exact limits of the share.",
    )


def _covered(table: pd.DataFrame, target: str, method: str) -> Estimate:
    own = table[(table["target"] == target) & (table["method"] == method)]
    low, high = normal_interval(own["estimate"], sd=own["sd"])
    return coverage(own["truth"], low=low, high=high)
