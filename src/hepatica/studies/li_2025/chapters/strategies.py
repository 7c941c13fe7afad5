"""Strategies: denoised signatures against end-to-end training on the same patients, as Table 3 of Li 2025."""

from dataclasses import dataclass
from functools import partial
from math import isnan

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Target, patient_scores
from hepatica.evaluate import (
    Comparison,
    Estimate,
    Risk,
    binary_metrics,
    c_index,
    compare_c_index,
    compare_paired,
)
from hepatica.evaluate.by_task import EVEN_ODDS
from hepatica.report.page.blocks import Block, Figure, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.style import INK, QUIET, SERIES, say
from hepatica.report.page.wording import METRICS, NONE, interval, p_value, when
from hepatica.studies.li_2025.chapters.found import Study

OVER_CUTOFFS = ("auroc", "average_precision")
AT_A_CUTOFF = ("accuracy", "ppv", "sensitivity", "f1")

PAPER = {
    "recurrence_12": {
        "auroc": (0.818, 0.721),
        "average_precision": (0.697, 0.566),
        "accuracy": (0.702, 0.649),
        "ppv": (0.632, 0.550),
        "sensitivity": (0.545, 0.500),
        "f1": (0.585, 0.524),
    },
    "recurrence_24": {
        "auroc": (0.811, 0.774),
        "average_precision": (0.708, 0.671),
        "accuracy": (0.684, 0.684),
        "ppv": (0.636, 0.650),
        "sensitivity": (0.583, 0.542),
        "f1": (0.609, 0.591),
    },
    "recurrence_final": {
        "auroc": (0.709, 0.654),
        "average_precision": (0.685, 0.639),
        "accuracy": (0.684, 0.632),
        "ppv": (0.656, 0.652),
        "sensitivity": (0.750, 0.536),
        "f1": (0.700, 0.588),
    },
}
"""Table 3 (doi 10.1186/s12916-025-03977-4), PPS-based and end-to-end; its cut-off is not stated and taken as 0.5."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One statistic of both strategies on the same patients and their paired difference; `cutoff` names the cut-off."""

    metric: str
    cutoff: str
    signature: Estimate
    end_to_end: Estimate
    comparison: Comparison

    @property
    def name(self) -> str:
        """As a table calls it: Accuracy, at 0.5."""
        return METRICS[self.metric] + (f", at {self.cutoff}" if self.cutoff else "")


def section(study: Study, gallery: Gallery) -> Section:
    """The table of both strategies, a figure of their differences, and whether the data show one."""
    targets = study.run.targets
    found = {target.key: rows(study, target) for target in targets}
    panels = [
        gallery.draw(
            f"strategies_{target.key}",
            partial(_paint, found=found[target.key], title=when(target), reach=reach(found)),
            alt=f"Differences between signature and end-to-end, {target.label}",
            size=(4.4, 4.4),
        )
        for target in targets
    ]
    blocks: list[Block] = [
        Text(
            text="Both strategies have the same network, settings, training and test patients. The signature is learnt"
            " from denoised labels, and a second network scores it; end to end, a network a target learns the raw label"
            " at once. Every difference is taken on the same patients."
        ),
        _table(study, found),
        Figure(
            caption="Signature minus end-to-end on the same internal test patients, with 95% intervals; right of the"
            " line the signature is better. Statistics at a cut-off stand twice.",
            panels=panels,
            columns=3,
        ),
        Text(text=verdict(found)),
    ]
    return Section(anchor="strategies", title="Signature against end-to-end training", blocks=blocks)


def scored(study: Study, target: Target) -> pd.DataFrame:
    """Outcomes of the test patients that both strategies scored, with the scores `signature` and `end_to_end`."""
    outcomes = study.run.internal.outcomes(target).rename(columns={"score": "signature"})
    other = patient_scores(study.end_to_end, target=target, fold="test")["score"].astype(float)
    return outcomes.join(other.rename("end_to_end"), how="inner")


def rows(study: Study, target: Target) -> list[Row]:
    """The statistics of one target, those at a cut-off at 0.5 and at each strategy's own training median."""
    both = scored(study, target)
    cutoffs = {
        "0.5": (EVEN_ODDS, EVEN_ODDS),
        "the training median": (study.run.cutoffs[target.key], study.end_to_end_cutoffs[target.key]),
    }
    found: list[Row] = []
    for name, (a, b) in cutoffs.items():
        names = AT_A_CUTOFF if found else (*OVER_CUTOFFS, *AT_A_CUTOFF)
        found += _binary(both.dropna(subset=["label"]), names, cutoffs=(a, b), called=name)
    return found + _ranking(both)


def _binary(known: pd.DataFrame, names: tuple[str, ...], *, cutoffs: tuple[float, float], called: str) -> list[Row]:
    label, a, b = (known[name].to_numpy(float) for name in ("label", "signature", "end_to_end"))
    try:
        compared = compare_paired(label, score_a=a, score_b=b, cutoff_a=cutoffs[0], cutoff_b=cutoffs[1])
    except EvaluationError:
        return []
    one, other = (
        binary_metrics(label, score=score, cutoff=cutoff) for score, cutoff in zip((a, b), cutoffs, strict=True)
    )
    return [
        Row(
            metric=name,
            cutoff=called if name in AT_A_CUTOFF else "",
            signature=one[name],
            end_to_end=other[name],
            comparison=compared[name],
        )
        for name in names
    ]


def _ranking(both: pd.DataFrame) -> list[Row]:
    time, event = both["time"].to_numpy(), both["event"].to_numpy()
    a, b = (Risk(both[name].to_numpy(float)) for name in ("signature", "end_to_end"))
    try:
        one, other = (c_index(time, event=event, score=each) for each in (a, b))
        compared = compare_c_index(time, event=event, score_a=a, score_b=b)
    except EvaluationError:
        return []
    return [Row(metric="c_index", cutoff="", signature=one, end_to_end=other, comparison=compared)]


def _table(study: Study, found: dict[str, list[Row]]) -> Table:
    told: list[list[str]] = []
    for target in study.run.targets:
        told += [[target.label.capitalize()], *(_cells(row, target) for row in found[target.key])]
        if not found[target.key]:
            told.append(["Not computable: one outcome only, or no patients both strategies scored", *[NONE] * 6])
    return Table(
        caption="Signature and end-to-end training on the internal test patients, with 95% confidence intervals.",
        header=["", "Signature", "End to end", "Difference", "P", "The paper's signature", "The paper's end to end"],
        rows=told,
        note="Difference: signature minus end to end, paired. AUROC: DeLong. C-index: infinitesimal jackknife. Others:"
        " 2,000 bootstrap draws of patients; P of accuracy by McNemar's exact test. No correction for the number of"
        " tests. The paper's columns are Table 3 of Li 2025, 57 other patients, its cut-off taken as 0.5; it gives"
        " neither intervals nor tests. Recomputed from its AUROC and counts of events (Hanley and McNeil), its"
        " intervals overlap at every time point.",
    )


def _cells(row: Row, target: Target) -> list[str]:
    paper = PAPER.get(target.key, {}) if row.cutoff in ("", "0.5") else {}
    theirs = [f"{each:.3f}" for each in paper[row.metric]] if row.metric in paper else [NONE, NONE]
    ours = [_told(each) for each in (row.signature, row.end_to_end, row.comparison.difference)]
    return [row.name, *ours, p_value(row.comparison.p), *theirs]


def _told(found: Estimate) -> str:
    return "not computable" if isnan(found.value) else interval(found.as_dict())


def verdict(found: dict[str, list[Row]]) -> str:
    """Whether the data show that one strategy is better, counted from the intervals of all differences."""
    known = [row.comparison.difference for table in found.values() for row in table]
    known = [each for each in known if each.low is not None and each.high is not None]
    if not known:
        return "No difference could be computed here, so nothing is shown about the two strategies."
    better, worse = sum((each.low or 0) > 0 for each in known), sum((each.high or 0) < 0 for each in known)
    n = max(each.n for each in known)
    counted = (
        f"Of {len(known)} differences in {n} patients at most, {better} have an interval above 0 and {worse} below. "
    )
    if not better + worse:
        return counted + (
            "These data do not show that denoised labels are better than raw ones, nor that they are not; the paper's"
            " own differences, in 57 patients, are as undecided."
        )
    return counted + (
        f"The differences are not independent, and about {len(known) / 20:.1f} would leave 0 out by chance alone if the"
        " strategies were alike; read the AUROC and C-index first, and one split of one cohort is one trial."
    )


def reach(found: dict[str, list[Row]]) -> float:
    """How far from 0 the differences and their intervals go over all targets, for one scale in all panels."""
    differences = [row.comparison.difference for table in found.values() for row in table]
    ends = [abs(end) for each in differences for end in (each.low, each.value, each.high) if end is not None]
    return max([end for end in ends if not isnan(end)], default=1.0)


def _paint(figure: Drawing, *, found: list[Row], title: str, reach: float) -> None:
    axes = figure.subplots()
    axes.set_title(title)
    if not found:
        say(axes, "One outcome only:\nthere is nothing to compare.")
        return
    names = list(dict.fromkeys(row.metric for row in found))
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
    for row in found:
        _difference(axes, row, y=names.index(row.metric) + _ASIDE[row.cutoff])
    axes.set_yticks(range(len(names)), labels=[METRICS[name].split(" (")[0] for name in names])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(xlim=(-1.05 * reach, 1.05 * reach), ylim=(len(names) - 0.4, -0.6), xlabel="Signature minus end to end")
    for cutoff, colour in _COLOURS.items():
        axes.plot([], [], "o", color=colour, markersize=5, label=f"at {cutoff}" if cutoff else "over all cut-offs")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.35, -0.13), ncols=2, handletextpad=0.1)


_ASIDE = {"": 0.0, "0.5": -0.15, "the training median": 0.15}
_COLOURS = {"": INK, "0.5": SERIES[0], "the training median": SERIES[1]}


def _difference(axes: Axes, row: Row, *, y: float) -> None:
    found, colour = row.comparison.difference, _COLOURS[row.cutoff]
    if found.low is not None and found.high is not None:
        axes.plot([found.low, found.high], [y, y], color=colour, linewidth=1.3)
    if np.isfinite(found.value):
        axes.plot(found.value, y, "o", color=colour, markersize=5)
