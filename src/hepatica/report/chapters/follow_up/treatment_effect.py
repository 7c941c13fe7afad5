"""Treatment effect: treated against untreated patients at high and at low risk, and the test whether that differs."""

from collections.abc import Mapping
from functools import partial

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Target
from hepatica.evaluate import HazardRatio, Interaction, treatment_interaction
from hepatica.report.chapters.follow_up.survival import competing, free_of
from hepatica.report.chapters.follow_up.treated import FOLD, with_treated
from hepatica.report.figures import boxes, kaplan_meier
from hepatica.report.figures.forest import Line, forest
from hepatica.report.figures.kaplan_meier import Arm
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import QUIET, SERIES
from hepatica.report.page.wording import NOT_COMPUTABLE, attempt, cell, equals, p_value, patients

SIZE, TALL = (3.5, 3.6), (3.5, 4.2)
"""Inches of a panel, three of which are side by side."""

SIGNIFICANT = 0.05

SUBSETS = {"all": "All", "high": "High risk", "low": "Low risk"}

LINES = {
    "high": "Treatment, high risk",
    "low": "Treatment, low risk",
    "ratio": "High over low: interaction",
    "per_sd": "Interaction per SD of score",
}

Pairs = Mapping[str, tuple[Arm, Arm]]
"""Treated and untreated patients of each subset."""


def section(run: Run, gallery: Gallery) -> Section | str:
    """Curves, boxes and tests in all, high and low risk; the interaction; and what it can and cannot support."""
    target = run.targets[0]
    shown = [each for each in with_treated(run) if treated_and_not(each, target)["treated"].any()]
    if not shown:
        return "No patients set aside have a known treatment: there is no treatment to compare."
    blocks: list[Block] = [
        Text(
            text="Treated patients are those set aside, untreated ones the unseen patients reported above; the locked"
            f" score for {target.label} divides both into high and low risk. Li 2025 compares treated with untreated"
            " patients within each group by their months to event or censoring, as in the box plots below; the curves"
            " make the same comparison with censoring taken into account."
        )
    ]
    for each in shown:
        blocks += _of_cohort(each, target, gallery)
    return Section(anchor="treatment", title="Treated and untreated patients", blocks=[*blocks, *competing([target])])


def _of_cohort(results: Results, target: Target, gallery: Gallery) -> list[Block]:
    outcomes = treated_and_not(results, target)
    binary, score = (interaction(outcomes, by=by) for by in ("group", "score"))
    found = _ratios(binary, score)
    pairs = {key: arms(outcomes, subset=key) for key in SUBSETS}
    lines = [
        Line(name=LINES[key], alone=each.ratio, together=None, strong=key == "ratio")
        for key, each in found.items()
        if not isinstance(each, str)
    ]
    forest_plot = gallery.by_cohort(
        "interaction",
        [results],
        lambda figure, results: forest(figure, lines=lines, title=results.title),
        alt="Hazard ratios of treatment by risk",
        caption=f"{results.title}: hazard ratio of treated against untreated patients at high and at low risk, and the"
        " ratio of the two, from one Cox model of treatment, risk and their product; last the same with the score"
        " itself. Below 1, treated patients have the event later.",
        size=(4.4, 2.9),
    )
    return [
        *_unknown(results, target),
        _comparison(results, pairs, gallery, ylabel=free_of(target)),
        _tests(pairs, results),
        forest_plot,
        _ratio_table(results, found),
        Text(text=conclusion(binary, score, pairs)),
    ]


def _ratio_table(results: Results, found: Mapping[str, HazardRatio | str]) -> Table:
    return Table(
        caption=f"{results.title}: treatment-by-risk interaction, by Cox regression.",
        header=["", "Hazard ratio (95% interval)", "P"],
        rows=[
            [LINES[key], each, ""]
            if isinstance(each, str)
            else [LINES[key], cell(each.ratio, digits=2), p_value(each.p)]
            for key, each in found.items()
        ],
    )


def treated_and_not(results: Results, target: Target) -> pd.DataFrame:
    """Outcomes of treated (set aside) and untreated (reported) patients, which the column `treated` distinguishes.

    Patients set aside because their treatment is blank are in neither: blank may be none.
    """
    treated, untreated = results.outcomes(target, fold=FOLD), results.outcomes(target)
    treated = treated[_known_treatment(results, treated).to_numpy()]
    return pd.concat([treated.assign(treated=1), untreated.assign(treated=0)])


def _known_treatment(results: Results, outcomes: pd.DataFrame) -> "pd.Series[bool]":
    known: pd.Series[bool] = results.patients.get("treatment", results.patients["fold"]).loc[outcomes.index].notna()
    return known


def _unknown(results: Results, target: Target) -> list[Block]:
    """How many patients set aside have an unknown treatment."""
    count = int((~_known_treatment(results, results.outcomes(target, fold=FOLD))).sum())
    text = f"{results.title}: the treatment of {patients(count)} set aside is unknown; they are in neither group."
    return [Text(text=text, tone="note")] if count else []


def arms(outcomes: pd.DataFrame, *, subset: str) -> tuple[Arm, Arm]:
    """Treated and untreated patients of all or of one risk group."""
    chosen = outcomes if subset == "all" else outcomes[outcomes["group"] == subset]
    return (
        Arm(name="Treated", colour=SERIES[2], patients=chosen[chosen["treated"] == 1]),
        Arm(name="Untreated", colour=QUIET, patients=chosen[chosen["treated"] == 0]),
    )


def interaction(outcomes: pd.DataFrame, *, by: str) -> Interaction | str:
    """Treatment x risk, by `group` or by `score`, or the reason why there is none."""
    time, event, treated = (outcomes[name].to_numpy() for name in ("time", "event", "treated"))
    risk = (outcomes["group"].eq("high") if by == "group" else outcomes["score"]).to_numpy(float)
    return attempt(lambda: treatment_interaction(time, event=event, treated=treated, risk=risk))


def _ratios(binary: Interaction | str, score: Interaction | str) -> dict[str, HazardRatio | str]:
    """What could be fitted or why it could not, in the order of LINES."""
    by_group = {name: binary if isinstance(binary, str) else getattr(binary, name) for name in ("high", "low", "ratio")}
    return by_group | {"per_sd": score if isinstance(score, str) else score.ratio}


def _comparison(results: Results, pairs: Pairs, gallery: Gallery, *, ylabel: str) -> Figure:
    curves = [
        gallery.draw(
            f"treatment_{key}_{results.key}",
            partial(_paint_curves, pair=pair, title=SUBSETS[key], ylabel=ylabel),
            alt=f"Kaplan-Meier curves of treated and untreated patients, {SUBSETS[key].lower()}, {results.title}",
            size=TALL,
        )
        for key, pair in pairs.items()
    ]
    box_plots = [
        gallery.draw(
            f"treatment_months_{key}_{results.key}",
            partial(boxes.paint, drawn=pair, title=SUBSETS[key]),
            alt=f"Box plots of months of treated and untreated patients, {SUBSETS[key].lower()}, {results.title}",
            size=SIZE,
        )
        for key, pair in pairs.items()
    ]
    caption = (
        f"{results.title}: treated and untreated patients among all, those at high and those at low risk. Above"
        " Kaplan-Meier curves, below months to event or censoring."
    )
    return Figure(caption=caption, panels=[*curves, *box_plots], columns=3)


def _paint_curves(figure: Drawing, *, pair: tuple[Arm, Arm], title: str, ylabel: str) -> None:
    note = f"Log-rank P {equals(p_value(_log_rank(pair)))}" if any(len(arm.patients) for arm in pair) else ""
    kaplan_meier.paint(figure, drawn=pair, title=title, note=note, ylabel=ylabel)


def _log_rank(pair: tuple[Arm, Arm]) -> float:
    return kaplan_meier.log_rank(*(arm.patients for arm in pair))


def _tests(pairs: Pairs, results: Results) -> Table:
    counts = [
        [f"{name}: events in patients", *(f"{arm.patients['event'].sum()} in {len(arm.patients)}" for arm in column)]
        for name, column in zip(("Treated", "Untreated"), zip(*pairs.values(), strict=True), strict=True)
    ]
    p = [
        p_value(_log_rank(pair)) if all(len(arm.patients) for arm in pair) else NOT_COMPUTABLE
        for pair in pairs.values()
    ]
    return Table(
        caption=f"{results.title}: treated against untreated patients.",
        header=["", *SUBSETS.values()],
        rows=[
            *counts,
            ["Log-rank P", *p],
            *boxes.rows([boxes.compared(*pair) for pair in pairs.values()], of="treated vs. untreated"),
        ],
        note="Difference is treated minus untreated, in months, which ignores censoring. Li 2025 reports P = 0.017"
        " among all, a significant difference at low risk and none at high risk, of its own patients.",
    )


def conclusion(found: Interaction | str, score: Interaction | str, pairs: Pairs) -> str:
    """What the comparison can and cannot support, in plain sentences made from its numbers."""
    cannot = (
        "The treatment was not randomised, and no covariate is adjusted for: a difference between treated and untreated"
        " patients may come from who was treated. "
    )
    if isinstance(found, str):
        reason = found.removeprefix(f"{NOT_COMPUTABLE}: ")
        return f"{cannot}Whether the difference varies with risk cannot be said here: {reason}."
    high, low = (_log_rank(pairs[key]) for key in ("high", "low"))
    within = f"The log-rank P is {p_value(high)} at high and {p_value(low)} at low risk. "
    if (high < SIGNIFICANT) != (low < SIGNIFICANT):
        within += (
            "A difference that is significant in one group and not in the other is no evidence that the groups differ"
            " in it; that is tested by the interaction. "
        )
    again = ""
    if not isinstance(score, str):
        ratio = score.ratio
        again = f" By the score itself the interaction is {cell(ratio.ratio, digits=2)} per SD, P {p_value(ratio.p)}."
    return cannot + within + _verdict(found.ratio) + again


def _verdict(ratio: HazardRatio) -> str:
    found = ratio.ratio
    assert found.low is not None
    assert found.high is not None
    text = (
        f"The interaction is {cell(found, digits=2)}, P {p_value(ratio.p)}; its interval spans a factor of"
        f" {found.high / found.low:.1f} from end to end"
    )
    if found.low <= 1 <= found.high:
        return (
            f"{text} and includes 1: these {found.n} patients show neither that treatment is associated with a"
            " different course at high than at low risk, nor that it does not; the score is not shown to predict who"
            " benefits."
        )
    side = "better" if found.high < 1 else "worse"
    return (
        f"{text} and excludes 1: among these {found.n} patients treatment is associated with a relatively {side} course"
        " at high than at low risk. This is a hypothesis for a randomised comparison, and no proof that the score"
        " predicts who benefits."
    )
