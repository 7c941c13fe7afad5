"""Classification: claim 2 of Bae 2025, whether networks trained on simulation tell patients apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import auroc, confusion
from hepatica.evaluate.binary.binary import AT_A_CUTOFF
from hepatica.evaluate.binary.confusion import Confusion
from hepatica.evaluate.groups.permutation import permutation_p, power_curve
from hepatica.evaluate.models.discriminant import fit_discriminant
from hepatica.report.page.blocks import Block, Figure, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run, read_run
from hepatica.report.page.style import QUIET, SERIES
from hepatica.report.page.wording import NONE, interval, p_value
from hepatica.studies.bae_2025.study import QUANTIFIER

PAPER = Confusion(tp=7, fn=0, fp=1, tn=9)
"""The paper's held-out patients: 7 of 7 with HCC and 9 of 10 without called rightly."""

RATES = ("sensitivity", "specificity", "accuracy")

NUISANCE = ("linewidth_hz", "noise_sd")
"""Of each spectrum: what a classifier must not live on. Residual water is counted in other peaks, which may tell."""

EFFECTS = np.linspace(0, 4, 41)
"""Distances of two groups in standard deviations, for the power curve."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Calls:
    """Patients (n,) of known diagnosis as one classifier sees them; called at or above `cutoff`."""

    label: np.ndarray
    score: np.ndarray
    cutoff: float


def section(run: Run, gallery: Gallery) -> Section:
    """Rates of the cCNNs beside the paper's, the controls, and what so few patients can show."""
    target = run.targets[0]
    quantifier = read_run(run.folder / QUANTIFIER, external=_beside(run))
    told = (
        "The paper calls all 7 held-out patients with HCC and 9 of 10 without rightly. Seventeen patients cannot"
        " exclude a sensitivity of 59% or a specificity of 56%. Beside the cCNNs stand two controls on the same"
        " patients, both fitted to the training patients: a linear discriminant of the concentrations that the qCNNs"
        " find, and one of linewidth and noise alone. If the second does well, the groups were measured unlike each"
        " other; it is not asked in other hospitals, whose noise is in a unit of their own."
    )
    blocks: list[Block] = [Text(text=told), _rates(run, target)]
    for own, other in zip(run.cohorts, quantifier.cohorts, strict=True):
        blocks.append(_controls(own, other, target, cutoffs=(run.cutoffs, quantifier.cutoffs)))
    panels = [gallery.draw("power", partial(_paint_power, groups=_groups(run, target)), alt="Power against the effect")]
    caption = (
        "Probability that so many patients show a classifier to be better than chance (Fisher's exact test, one-sided"
        " 5%), by the distance between the groups in standard deviations. Every outcome is counted, none simulated."
    )
    blocks.append(Figure(caption=caption, panels=panels))
    return Section(anchor="classification", title="Telling patients apart", blocks=blocks)


def _beside(run: Run) -> list[Path]:
    return [run.folder / QUANTIFIER / "external" / each.folder.name for each in run.external]


def calls(results: Results, target: Target, *, cutoff: float) -> Calls | None:
    """Reported patients of known diagnosis; None where they are all of one kind."""
    known = results.outcomes(target).dropna(subset=["label"])
    if known["label"].nunique() < 2:
        return None
    return Calls(label=known["label"].to_numpy(int), score=known["score"].to_numpy(float), cutoff=cutoff)


def nuisance(results: Results, target: Target) -> Calls | None:
    """A discriminant of NUISANCE alone, fitted to the training patients; None where there are none of both kinds.

    Patients whose linewidth could not be measured are left out.
    """
    regions = pd.read_parquet(results.folder / "regions.parquet")
    measured = regions.groupby("patient_id")[list(NUISANCE)].mean().clip(lower=1e-9).apply(np.log)
    trained, reported = (
        results.outcomes(target, fold=fold)[["label"]].join(measured, how="inner").dropna()
        for fold in ("train", results.fold)
    )
    try:
        found = fit_discriminant(trained[list(NUISANCE)].to_numpy(), label=trained["label"].to_numpy())
    except EvaluationError:
        return None
    if reported["label"].nunique() < 2:
        return None
    score = found.probability(reported[list(NUISANCE)].to_numpy())
    return Calls(label=reported["label"].to_numpy(int), score=score, cutoff=0.5)


def _rates(run: Run, target: Target) -> Table:
    cutoff = run.cutoffs[target.key]
    columns = [calls(each, target, cutoff=cutoff) for each in run.cohorts]
    rows = []
    for name in RATES:
        here = [NONE if own is None else _rate(own, name) for own in columns]
        rows.append([name.capitalize(), _counted(PAPER, name), *here])
    here = [NONE if own is None else _shuffled(own) for own in columns]
    rows.append(["P, labels shuffled", p_value(_paper_p()), *here])
    return Table(
        caption="Calls at the cut-off fixed on simulated patients, with exact 95% confidence intervals.",
        header=["", "Paper, 10 + 7 patients", *(each.title for each in run.cohorts)],
        rows=rows,
        note="P: how often shuffled diagnoses are called at least as rightly, one-sided, 10,000 shuffles. Other"
        " patients: the columns test nothing.",
    )


def _paper_p() -> float:
    called = np.repeat([1, 0, 1, 0], [PAPER.tp, PAPER.fn, PAPER.fp, PAPER.tn])
    label = np.repeat([1, 0], [PAPER.tp + PAPER.fn, PAPER.fp + PAPER.tn])
    return permutation_p(label, score=called, cutoff=0.5)


def _counted(counts: Confusion, name: str) -> str:
    return interval(AT_A_CUTOFF[name](counts).as_dict())


def _rate(own: Calls, name: str) -> str:
    return _counted(confusion(own.label, score=own.score, cutoff=own.cutoff), name)


def _shuffled(own: Calls) -> str:
    return p_value(permutation_p(own.label, score=own.score, cutoff=own.cutoff))


def _controls(own: Results, other: Results, target: Target, *, cutoffs: Sequence[dict[str, float]]) -> Table:
    found = {
        "cCNN": calls(own, target, cutoff=cutoffs[0][target.key]),
        "Discriminant of the qCNN's concentrations": calls(other, target, cutoff=cutoffs[1][target.key]),
    }
    half = ""
    if own.fold == "test":
        found["Discriminant of linewidth and noise"] = nuisance(own, target)
        half = ", that of linewidth and noise is one half"
    rows = [[name, *(_control(each) if each else [NONE] * 5)] for name, each in found.items()]
    return Table(
        caption=f"The cCNN and its controls. {own.title}.",
        header=["", "AUROC", *(name.capitalize() for name in RATES), "P of the AUROC"],
        rows=rows,
        note="P: shuffled diagnoses, one-sided, 10,000 shuffles. Cut-offs: the cCNN's is of simulated patients, that of"
        f" concentrations balances sensitivity and specificity in training patients{half}.",
    )


def _control(own: Calls) -> list[str]:
    p = permutation_p(own.label, score=own.score)
    area = interval(auroc(own.label, score=own.score).as_dict())
    return [area, *(_rate(own, name) for name in RATES), p_value(p)]


def _groups(run: Run, target: Target) -> dict[str, tuple[int, int]]:
    """Patients with and without HCC, of the paper and of each cohort."""
    groups = {"paper": (7, 10)}
    for each in run.cohorts:
        label = each.outcomes(target)["label"].dropna()
        groups[each.title] = (int((label == 1).sum()), int((label == 0).sum()))
    return {name: counts for name, counts in groups.items() if min(counts)}


def _paint_power(figure: Drawing, *, groups: dict[str, tuple[int, int]]) -> None:
    axes = figure.subplots()
    for colour, (name, (positives, negatives)) in zip(SERIES, groups.items(), strict=False):
        curve = power_curve(EFFECTS, positives=positives, negatives=negatives)
        axes.plot(EFFECTS, [each.power for each in curve], color=colour, label=f"{name}: {positives} v {negatives}")
    axes.axhline(0.8, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set(xlabel="distance of the groups, SD", ylabel="power", ylim=(0, 1.02))
    axes.legend(loc="lower right")
