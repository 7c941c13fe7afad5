"""Small sample: calls in few patients with exact limits, shuffled diagnoses, controls, and the power of so few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import Confusion, auroc, confusion, fit_discriminant, permutation_p, power_curve
from hepatica.evaluate.binary.binary import AT_A_CUTOFF
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import QUIET, SERIES
from hepatica.report.page.wording import NONE, interval, p_value

RATES = ("sensitivity", "specificity", "accuracy")

EFFECTS = np.linspace(0, 4, 41)
"""Distances of two groups in standard deviations, for the power curve."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Calls:
    """Patients (n,) of known diagnosis as one classifier sees them; called at or above `cutoff`."""

    label: np.ndarray
    score: np.ndarray
    cutoff: float


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What the classifier (`name`) is compared with: other runs by their names, and columns of regions.parquet.

    A classifier must not rest on `nuisance`; a discriminant of it alone is called `nuisance_name`. `text` opens the
    chapter, `note` ends that of the controls. `paper` are the counts of a paper's patients.
    """

    name: str
    other: Mapping[str, Run]
    nuisance: Sequence[str]
    nuisance_name: str
    paper: Confusion
    text: str
    note: str


def section(run: Run, gallery: Gallery, *, controls: Controls) -> Section:
    """Rates beside the paper's, the controls, and the power of so few patients."""
    target = run.targets[0]
    blocks: list[Block] = [Text(text=controls.text), _rates(run, target, controls.paper)]
    blocks += [_controls(run, place, target, controls) for place in range(len(run.cohorts))]
    panel = gallery.draw(
        "power", partial(paint_power, groups=groups(run, target, controls.paper)), alt="Power against the effect"
    )
    caption = (
        "Probability that a study of this size shows a classifier to be better than chance (Fisher's exact test,"
        " one-sided 5%), by the distance between the groups in standard deviations. All outcomes are enumerated, none"
        " simulated."
    )
    blocks.append(Figure(caption=caption, panels=[panel]))
    return Section(anchor="classification", title="Classification of few patients", blocks=blocks)


def calls(results: Results, target: Target, *, cutoff: float) -> Calls | None:
    """Reported patients of known diagnosis; None where they are all of one kind."""
    known = results.outcomes(target).dropna(subset=["label"])
    if known["label"].nunique() < 2:
        return None
    return Calls(label=known["label"].to_numpy(int), score=known["score"].to_numpy(float), cutoff=cutoff)


def nuisance(results: Results, target: Target, *, columns: Sequence[str]) -> Calls | None:
    """A discriminant of columns of regions.parquet (logarithms), fitted to the training patients; None where there are
    none of both kinds. Patients without a measured value are left out.
    """
    names = list(columns)
    regions = pd.read_parquet(results.folder / "regions.parquet")
    measured = regions.groupby("patient_id")[names].mean().clip(lower=1e-9).apply(np.log)
    trained, reported = (
        results.outcomes(target, fold=fold)[["label"]].join(measured, how="inner").dropna()
        for fold in ("train", results.fold)
    )
    try:
        found = fit_discriminant(trained[names].to_numpy(), label=trained["label"].to_numpy())
    except EvaluationError:
        return None
    if reported["label"].nunique() < 2:
        return None
    score = found.probability(reported[names].to_numpy())
    return Calls(label=reported["label"].to_numpy(int), score=score, cutoff=0.5)


def _rates(run: Run, target: Target, paper: Confusion) -> Table:
    columns = [calls(each, target, cutoff=run.cutoffs[target.key]) for each in run.cohorts]
    rows = [
        [name.capitalize(), _counted(paper, name), *(NONE if own is None else _rate(own, name) for own in columns)]
        for name in RATES
    ]
    here = [p_value(permutation_p(own.label, score=own.score, cutoff=own.cutoff)) if own else NONE for own in columns]
    return Table(
        caption="Calls at the locked cut-off, with exact 95% confidence intervals.",
        header=["", f"Paper, {paper.tn + paper.fp} + {paper.tp + paper.fn} patients", *(e.title for e in run.cohorts)],
        rows=[*rows, ["P, labels shuffled", p_value(paper_p(paper)), *here]],
        note="P: how often shuffled diagnoses are called at least as correctly, one-sided, 10,000 shuffles. The columns"
        " are of different patients and are not tested against each other.",
    )


def paper_p(paper: Confusion) -> float:
    """P of the paper's counts by shuffled labels."""
    called = np.repeat([1, 0, 1, 0], [paper.tp, paper.fn, paper.fp, paper.tn])
    label = np.repeat([1, 0], [paper.tp + paper.fn, paper.fp + paper.tn])
    return permutation_p(label, score=called, cutoff=0.5)


def _counted(counts: Confusion, name: str) -> str:
    return interval(AT_A_CUTOFF[name](counts).as_dict())


def _rate(own: Calls, name: str) -> str:
    return _counted(confusion(own.label, score=own.score, cutoff=own.cutoff), name)


def _controls(run: Run, place: int, target: Target, controls: Controls) -> Table:
    own = run.cohorts[place]
    found = {controls.name: calls(own, target, cutoff=run.cutoffs[target.key])}
    for name, other in controls.other.items():
        found[name] = calls(other.cohorts[place], target, cutoff=other.cutoffs[target.key])
    if own.fold == "test":
        found[controls.nuisance_name] = nuisance(own, target, columns=controls.nuisance)
    return Table(
        caption=f"The {controls.name} and its controls. {own.title}.",
        header=["", "AUROC", *(name.capitalize() for name in RATES), "P of the AUROC"],
        rows=[[name, *(control(each) if each else [NONE] * 5)] for name, each in found.items()],
        note=f"P: shuffled diagnoses, one-sided, 10,000 shuffles. {controls.note}",
    )


def control(own: Calls) -> list[str]:
    """AUROC, rates at its own cut-off, and P of the AUROC."""
    p = permutation_p(own.label, score=own.score)
    area = interval(auroc(own.label, score=own.score).as_dict())
    return [area, *(_rate(own, name) for name in RATES), p_value(p)]


def groups(run: Run, target: Target, paper: Confusion) -> dict[str, tuple[int, int]]:
    """Patients with and without the disease, of the paper and of each cohort."""
    found = {"paper": (paper.tp + paper.fn, paper.tn + paper.fp)}
    for each in run.cohorts:
        label = each.outcomes(target)["label"].dropna()
        found[each.title] = (int((label == 1).sum()), int((label == 0).sum()))
    return {name: counts for name, counts in found.items() if min(counts)}


def paint_power(figure: Drawing, *, groups: dict[str, tuple[int, int]]) -> None:
    """A curve for each pair of group sizes."""
    axes = figure.subplots()
    for colour, (name, (positives, negatives)) in zip(SERIES, groups.items(), strict=False):
        curve = power_curve(EFFECTS, positives=positives, negatives=negatives)
        axes.plot(EFFECTS, [each.power for each in curve], color=colour, label=f"{name}: {positives} vs. {negatives}")
    axes.axhline(0.8, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set(xlabel="distance of the groups, SD", ylabel="power", ylim=(0, 1.02))
    axes.legend(loc="lower right")
