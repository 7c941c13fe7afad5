"""Shift: how the patients of another cohort, their course and their slides differ from those of training."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Months, Target
from hepatica.evaluate import Estimate, kaplan_meier, rate_difference
from hepatica.evaluate.estimate import undefined
from hepatica.report.chapters.baseline import NOTABLE, arrowed, unlike
from hepatica.report.chapters.follow_up.survival import TALL, competing, free_of
from hepatica.report.chapters.prevalence import paint_scores, prevalence_blocks, score_rows
from hepatica.report.chapters.stain_shift import stain_blocks
from hepatica.report.figures import kaplan_meier as curves
from hepatica.report.page import Block, Figure, Gallery, Run, Section, Table, Text
from hepatica.report.page.groups import Group, compared_groups
from hepatica.report.page.style import FAINT, QUIET
from hepatica.report.page.wording import NONE, about, column, events, heading, p_value, patients, share, when

SHORT = "short_follow_up"
"""Fold of patients whose event-free follow-up was too short to be reported."""

WIDEST = 2.0
"""Standardised differences beyond are drawn at the edge of the plot. Ours."""


def section(run: Run, gallery: Gallery) -> Section:
    """Case mix, event rate, follow-up, scores and stains of each external cohort against the training patients.

    Of a diagnosis its prevalence in place of event rate and follow-up; stains of slides alone.
    """
    title = "How the cohorts differ"
    if not run.external:
        text = "There is no external cohort to compare with the training patients."
        return Section(anchor="shift", title=title, blocks=[Text(text=text, tone="note")])
    groups = compared_groups(run)
    followed = ", because they were followed for a shorter time" if run.followed else ""
    text = (
        f"A model may perform worse elsewhere because the patients differ (case mix), because {events(run.targets)}"
        f" is more or less common{followed}, or because the specimens look different. What can be observed of each is"
        " shown here; none of it was used to change the model or its scores."
    )
    blocks = [Text(text=text), *_case_mix(run, groups, gallery)]
    if run.targets[0].task in ("binary", "survival"):
        blocks += (_course if run.followed else prevalence_blocks)(run, groups, gallery)
    if run.system.modality == "slide":
        blocks += stain_blocks([(each.name, each.colour, each.stains()) for each in groups], gallery)
    return Section(anchor="shift", title=title, blocks=blocks)


def _case_mix(run: Run, groups: list[Group], gallery: Gallery) -> list[Block]:
    known, others, names = groups[0].patients, groups[1:], run.internal.covariates()
    differences = pd.DataFrame(
        {
            each.name: [unlike(known[name], each.patients.get(name, pd.Series(dtype=object))) for name in names]
            for each in others
        },
        index=[column(name) for name in names],
    ).dropna(how="all")
    if differences.empty:
        return [Text(text="The cohort tables hold no covariate by which patients could be compared.", tone="note")]
    differences = differences.sort_values(others[-1].name, ascending=False)
    panel = gallery.draw(
        "case_mix",
        partial(_love_plot, differences=differences, groups=others),
        alt=f"Standardised differences from the training patients of {', '.join(each.name for each in others)}",
        size=(5.6, 1.5 + 0.3 * len(differences)),
    )
    caption = (
        "Case mix: standardised difference of each covariate from the training patients. The dotted line is at"
        f" {NOTABLE}, from where groups are usually called unlike; the internal test shows the effect of chance alone."
    )
    # 97.5 % quantile of a standardised difference that is none: normal with variance 1/n + 1/m.
    limits = {each.name: 1.96 * np.sqrt(1 / len(known) + 1 / max(len(each.patients), 1)) for each in others}
    chance = "; ".join(f"{name}, {limit:.2f}" for name, limit in limits.items())
    table = Table(
        caption="Case mix: standardised differences from the training patients.",
        header=["", *differences],
        rows=[[str(name), *map(arrowed, row)] for name, row in differences.T.items()],
        note="Between two samples of these sizes drawn from the same population, 95 of 100 differences of a number or a"
        f" yes-or-no covariate are below: {chance}. An arrow marks {NOTABLE} or more, ∞ groups with no value in"
        " common.",
    )
    return [Figure(caption=caption, panels=[panel]), table]


def _love_plot(figure: Drawing, *, differences: pd.DataFrame, groups: list[Group]) -> None:
    axes = figure.subplots()
    places = np.arange(len(differences))
    for each in groups:
        values = differences[each.name].to_numpy(float)
        for edge, mark in ((values <= WIDEST, "o"), (values > WIDEST, ">")):
            filled = "white" if each.name == groups[0].name else each.colour
            axes.plot(
                np.minimum(values[edge], WIDEST), places[edge], mark, color=each.colour, markerfacecolor=filled,
                label=each.name if mark == "o" else None, clip_on=False,
            )  # fmt: skip
    axes.axvline(NOTABLE, color=QUIET, linewidth=0.8, linestyle=":")
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set(ylim=(len(places) - 0.5, -0.5), xlabel="Standardised difference from training")
    axes.set_xlim(0, max(0.5, min(WIDEST, 1.08 * float(np.nanmax(np.minimum(differences.to_numpy(float), WIDEST))))))
    axes.set_yticks(places, labels=list(differences.index))
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=3, handletextpad=0.1)


def _course(run: Run, groups: list[Group], gallery: Gallery) -> list[Block]:
    target, new = run.targets[0], [each for each in groups if not each.trained]
    scores = [(each, each.outcomes(target)["score"]) for each in new]
    title, cutoff = f"Scores\n{when(target)}", run.cutoffs[target.key]
    panels = [
        gallery.draw(
            "shift_course",
            partial(_paint_course, groups=groups, target=target),
            alt=f"Kaplan-Meier curves of all patients of {', '.join(each.name for each in groups)}",
            size=TALL,
        ),
        gallery.draw(
            "shift_scores",
            partial(paint_scores, scores=scores, title=title, cutoff=cutoff),
            alt=f"Distribution of the score for {about(target)} in {', '.join(each.name for each in new)}",
            size=TALL,
        ),
    ]
    caption = (
        "Left: the course of all patients of each group, whatever their score. Right: share of patients with a score up"
        " to each value, the locked cut-off dotted. Training patients have no curve there, because scores of patients a"
        " model has seen are too extreme."
    )
    table = Table(
        caption="Event rate, follow-up and scores.",
        header=["", *(each.name for each in groups)],
        rows=[*_followed(run, groups), *score_rows(run, groups)],
        note="Shares with the event are 1 minus the Kaplan-Meier estimate, with 95% intervals; differences are those"
        " from training. Median follow-up is that of the reverse Kaplan-Meier curve, in which events are censored. The"
        " share with the event at the end of follow-up grows with follow-up and is no rate." + _left_out(run),
    )
    return [Figure(caption=caption, panels=panels), *competing([target]), table]


def _left_out(run: Run) -> str:
    """How leaving out patients of short follow-up changes the shares; nothing where all were kept."""
    text = ""
    for each in run.external:
        left = int((each.patients["fold"] == SHORT).sum())
        if left:
            text += (
                f" {each.cohort['name']} is without {patients(left)} whose event-free follow-up was too short, while"
                " patients with an early event were kept: its shares with the event are overestimated, in every"
                " chapter."
            )
    return text


def _paint_course(figure: Drawing, *, groups: list[Group], target: Target) -> None:
    drawn = [curves.Arm(name=each.name, colour=each.colour, patients=each.outcomes(target)) for each in groups]
    curves.paint(figure, drawn=drawn, title="All patients", note="", ylabel=free_of(target))


def _followed(run: Run, groups: list[Group]) -> list[list[str]]:
    rows = [["Patients", *(str(len(each.patients)) for each in groups)]]
    for name in dict.fromkeys(target.endpoint for target in run.targets):
        known = [target for target in run.targets if target.endpoint == name]
        tables = [each.outcomes(known[0]) for each in groups]
        title = name.replace("_", " ").capitalize()
        p = [p_value(curves.log_rank(tables[0], each)) for each in tables[1:]]
        rows += [
            [f"{title}: events", *(share(int(each["event"].sum()), len(each)) for each in tables)],
            [f"{title}: median follow-up, months", *map(_median_follow_up, tables)],
            [f"{title}: log-rank P against training", NONE, *p],
        ]
        for target in known:
            if target.horizon is not None:
                rows += _at(target.horizon, tables, title=heading(target))
    return rows


def _at(horizon: Months, tables: list[pd.DataFrame], *, title: str) -> list[list[str]]:
    """Share with the event at a horizon, and how far it is from that of training."""
    shares = [_share_at(horizon, each) for each in tables]
    apart = [rate_difference(each, second=shares[0]) for each in shares[1:]]
    censored = [share(int(((each["event"] == 0) & (each["time"] < horizon)).sum()), len(each)) for each in tables]
    return [
        [f"{title}: share with the event", *map(str, shares)],
        [f"{title}: difference", NONE, *map(str, apart)],
        [f"{title}: censored before", *censored],
    ]


def _share_at(horizon: Months, table: pd.DataFrame) -> Estimate:
    try:
        free = kaplan_meier(table["time"].to_numpy(), event=table["event"].to_numpy()).survival_at(horizon)
    except EvaluationError as error:
        return undefined(str(error), n=0)
    if free.low is None or free.high is None:
        return free
    return replace(free, value=1 - free.value, low=1 - free.high, high=1 - free.low)


def _median_follow_up(table: pd.DataFrame) -> str:
    if table.empty:
        return NONE
    curve = kaplan_meier(table["time"].to_numpy(), event=1 - table["event"].to_numpy())
    half = curve.time[curve.survival <= 0.5]
    return f"{half[0]:.1f}" if half.size else f"not reached by {curve.time[-1]:.1f}"
