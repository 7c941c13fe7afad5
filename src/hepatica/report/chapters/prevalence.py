"""Prevalence: how common a disease is in each cohort, and where the scores of each cohort lie."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Target
from hepatica.evaluate import Estimate, rate_difference
from hepatica.evaluate.estimate import undefined
from hepatica.evaluate.intervals import clopper_pearson
from hepatica.report.page import Block, Figure, Gallery, Panel, Run, Table
from hepatica.report.page.groups import Group
from hepatica.report.page.style import QUIET, say
from hepatica.report.page.wording import NONE, about, calls, heading, outcomes, quartiles, share, when


def prevalence_blocks(run: Run, groups: list[Group], gallery: Gallery) -> list[Block]:
    """Scores of patients with and without the disease by cohort, and the table of prevalence and scores."""
    target = run.targets[0]
    panels = [_panel(run, groups, gallery, label=label) for label in (1, 0)]
    figure = Figure(
        caption="Share of patients with a score up to each value, the locked cut-off dotted: left patients with"
        f" {about(target)}, right patients without. Where the curve of another cohort is shifted, its patients of that"
        " class look different to the model, and its sensitivity or specificity will differ. Training patients have no"
        " curve, because scores of patients a model has seen are too extreme.",
        panels=panels,
    )
    table = Table(
        caption="Prevalence and scores.",
        header=["", *(each.name for each in groups)],
        rows=[*_prevalence(groups, target), *score_rows(run, groups)],
        note="Shares with exact 95% intervals (Clopper and Pearson), of patients whose diagnosis is known; differences"
        " are those from training. PPV and NPV apply to the prevalence of these patients, and change with it.",
    )
    return [figure, table]


def _panel(run: Run, groups: list[Group], gallery: Gallery, *, label: int) -> Panel:
    target = run.targets[0]
    name = outcomes(target)[1 - label]
    tables = [(each, each.outcomes(target)) for each in groups if not each.trained]
    scores = [(each, table.loc[table["label"] == label, "score"]) for each, table in tables]
    return gallery.draw(
        f"shift_scores_{'with' if label else 'without'}",
        partial(paint_scores, scores=scores, title=f"Patients with {name}", cutoff=run.cutoffs[target.key]),
        alt=f"Distribution of the score of patients with {name} in {', '.join(each.name for each in groups[1:])}",
    )


def _prevalence(groups: list[Group], target: Target) -> list[list[str]]:
    tables = [each.outcomes(target) for each in groups]
    shares = [prevalence(each["label"]) for each in tables]
    apart = [rate_difference(each, second=shares[0]) if each.n and shares[0].n else NONE for each in shares[1:]]
    title = heading(target)
    return [
        ["Patients", *(str(len(each.patients)) for each in groups)],
        [f"{title}: share of patients", *map(str, shares)],
        [f"{title}: difference", NONE, *map(str, apart)],
        [f"{title}: unknown", *(share(int(each["label"].isna().sum()), len(each)) for each in tables)],
    ]


def prevalence(label: pd.Series) -> Estimate:
    """Share of label 1 among known labels, with Clopper and Pearson's interval; NaN where none is known."""
    known = label.dropna()
    if known.empty:
        return undefined("no diagnosis is known", n=0)
    low, high = clopper_pearson(float(known.sum()), len(known))
    return Estimate(value=float(known.mean()), low=low, high=high, n=len(known), method="Clopper-Pearson")


def paint_scores(figure: Drawing, *, scores: Sequence[tuple[Group, pd.Series]], title: str, cutoff: float) -> None:
    """Share of the patients of each group with a score up to each value; the cut-off is dotted."""
    axes = figure.subplots()
    axes.set_title(title)
    shown = [(group, values) for group, values in scores if len(values)]
    if not shown:
        say(axes, "No patients with a score.")
        return
    for group, values in shown:
        axes.ecdf(values, color=group.colour, label=group.name)
    axes.axvline(cutoff, color=QUIET, linewidth=0.8, linestyle=":")
    if all(values.between(0, 1).all() for _, values in shown):
        axes.set_xlim(0, 1)
    axes.set(ylim=(0, 1.02), xlabel="Score", ylabel="Share of patients with this score or less")
    axes.legend(loc="upper left")


def score_rows(run: Run, groups: Sequence[Group]) -> list[list[str]]:
    """Scores of each target: quartiles, and the share called high; none of patients the model was trained on."""
    rows = []
    for target in run.targets:
        tables = [None if each.trained else each.outcomes(target) for each in groups]
        of = when(target).lower() if target.followed else when(target)
        called = "high risk" if target.followed else calls(target)[0]
        rows += [
            [
                f"Score {of}: median [interquartile range]",
                *(NONE if each is None else quartiles(each["score"], form=".2f", tie=" ") for each in tables),
            ],
            [
                f"Score {of}: called {called}",
                *(NONE if each is None else share(int((each["group"] == "high").sum()), len(each)) for each in tables),
            ],
        ]
    return rows
