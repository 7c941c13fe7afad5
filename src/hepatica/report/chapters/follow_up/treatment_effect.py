"""Treatment effect: treated against untreated patients at high and at low risk, and the test whether that differs."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import Estimate, HazardRatio, Interaction, log_rank_p, treatment_interaction
from hepatica.report.chapters.follow_up.survival import competing, free_of, log_rank
from hepatica.report.chapters.follow_up.treated import FOLD, with_treated
from hepatica.report.figures import boxes, kaplan_meier
from hepatica.report.figures.forest import Line, forest
from hepatica.report.figures.kaplan_meier import Arm
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.style import QUIET, SERIES
from hepatica.report.page.wording import interval, p_value, patients

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


def section(run: Run, gallery: Gallery) -> Section | str:
    """Curves, boxes and tests in all, high and low risk; the interaction; and what it can and cannot support."""
    target = run.targets[0]
    shown = [each for each in with_treated(run) if treated_and_not(each, target)["treated"].any()]
    if not shown:
        return "No patients set aside have a known treatment: there is no treatment to compare."
    blocks: list[Block] = [
        Text(
            text="Treated patients are those set aside, untreated ones the unseen patients reported above; the locked"
            f" score for {target.label} divides both into high and low risk. Li 2025 compares treated with"
            " untreated patients within each group by their months to event or censoring, the boxes below; the curves"
            " do the same with censoring taken into account."
        )
    ]
    for each in shown:
        blocks += _of_cohort(each, target, gallery)
    return Section(anchor="treatment", title="Treated and untreated patients", blocks=[*blocks, *competing([target])])


def _of_cohort(results: Results, target: Target, gallery: Gallery) -> list[Block]:
    outcomes = treated_and_not(results, target)
    binary, score = (interaction(outcomes, by=by) for by in ("group", "score"))
    pairs = {key: arms(outcomes, subset=key) for key in SUBSETS}
    panels = [_curves(pair, key, results, target, gallery) for key, pair in pairs.items()]
    panels += [_boxes(pair, key, results, gallery) for key, pair in pairs.items()]
    lines = partial(forest, lines=_lines(binary, score), title=results.title)
    plot = gallery.draw(
        f"interaction_{results.key}", lines, alt=f"Hazard ratios of treatment by risk, {results.title}", size=(4.4, 2.9)
    )
    return [
        *_untold(results, target),
        Figure(
            caption=f"{results.title}: treated and untreated patients among all, those at high and those at low risk."
            " Above Kaplan-Meier curves, below months to event or censoring.",
            panels=panels,
            columns=3,
        ),
        _tests(pairs, results),
        Figure(
            caption=f"{results.title}: hazard ratio of treated against untreated patients at high and at low risk, and"
            " the ratio of the two, from one Cox model of treatment, risk and their product; last the same with the"
            " score itself. Below 1, treated patients have the event later.",
            panels=[plot],
        ),
        _ratios(binary, score, results),
        Text(text=conclusion(binary, score, pairs)),
    ]


def treated_and_not(results: Results, target: Target) -> pd.DataFrame:
    """Outcomes of treated (set aside) and untreated (reported) patients, told apart by the column `treated`.

    Patients set aside because their treatment is blank are in neither: blank may be none.
    """
    treated, untreated = results.outcomes(target, fold=FOLD), results.outcomes(target)
    treated = treated[_told_treatment(results, treated).to_numpy()]
    return pd.concat([treated.assign(treated=1), untreated.assign(treated=0)])


def _told_treatment(results: Results, outcomes: pd.DataFrame) -> "pd.Series[bool]":
    told: pd.Series[bool] = results.patients.get("treatment", results.patients["fold"]).loc[outcomes.index].notna()
    return told


def _untold(results: Results, target: Target) -> list[Block]:
    """How many patients set aside have an unknown treatment."""
    count = int((~_told_treatment(results, results.outcomes(target, fold=FOLD))).sum())
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
    """Treatment x risk, by `group` or by `score`; in words why there is none where there is none."""
    risk = outcomes["group"].eq("high").astype(float) if by == "group" else outcomes["score"]
    try:
        return treatment_interaction(
            outcomes["time"].to_numpy(),
            event=outcomes["event"].to_numpy(),
            treated=outcomes["treated"].to_numpy(),
            risk=risk.to_numpy(float),
        )
    except EvaluationError as error:
        return str(error)


def _log_rank(pair: tuple[Arm, Arm]) -> Estimate:
    both = pd.concat([arm.patients for arm in pair])
    return log_rank_p(both["time"].to_numpy(), event=both["event"].to_numpy(), group=both["treated"].to_numpy())


def _curves(pair: tuple[Arm, Arm], key: str, results: Results, target: Target, gallery: Gallery) -> Panel:
    paint = partial(_paint_curves, pair=pair, title=SUBSETS[key], ylabel=free_of(target))
    alt = f"Kaplan-Meier curves of treated and untreated patients, {SUBSETS[key].lower()}, {results.title}"
    return gallery.draw(f"treatment_{key}_{results.key}", paint, alt=alt, size=TALL)


def _paint_curves(figure: Drawing, *, pair: tuple[Arm, Arm], title: str, ylabel: str) -> None:
    followed = [arm for arm in pair if len(arm.patients)]
    told = log_rank({"metric": "log_rank_p", **_log_rank(pair).as_dict()}) if followed else ""
    kaplan_meier.paint(figure, drawn=followed, title=title, told=told, ylabel=ylabel)


def _boxes(pair: tuple[Arm, Arm], key: str, results: Results, gallery: Gallery) -> Panel:
    alt = f"Box plots of months of treated and untreated patients, {SUBSETS[key].lower()}, {results.title}"
    paint = partial(boxes.paint, drawn=pair, title=SUBSETS[key])
    return gallery.draw(f"treatment_months_{key}_{results.key}", paint, alt=alt, size=SIZE)


def _tests(pairs: dict[str, tuple[Arm, Arm]], results: Results) -> Table:
    counts = [
        [f"{name}: events in patients", *(f"{arm.patients['event'].sum()} in {len(arm.patients)}" for arm in column)]
        for name, column in zip(("Treated", "Untreated"), zip(*pairs.values(), strict=True), strict=True)
    ]
    return Table(
        caption=f"{results.title}: treated against untreated patients.",
        header=["", *SUBSETS.values()],
        rows=[
            *counts,
            ["Log-rank P", *(_p(_log_rank(pair)) if _both(pair) else "not computable" for pair in pairs.values())],
            *boxes.rows([boxes.compared(*pair) for pair in pairs.values()], of="treated vs. untreated"),
        ],
        note="Difference is treated minus untreated, in months that take no account of censoring. Li 2025 reports P ="
        " 0.017 among all, a significant difference at low risk and none at high risk, of its own patients.",
    )


def _both(pair: tuple[Arm, Arm]) -> bool:
    return all(len(arm.patients) for arm in pair)


def _p(found: Estimate) -> str:
    return p_value(found.value)


def _lines(binary: Interaction | str, score: Interaction | str) -> list[Line]:
    return [
        Line(name=LINES[key], alone=ratio.ratio, together=None, strong=key == "ratio")
        for key, ratio in _found(binary, score).items()
    ]


def _found(binary: Interaction | str, score: Interaction | str) -> dict[str, HazardRatio]:
    """What could be fitted, in the order of LINES."""
    found = {} if isinstance(binary, str) else {name: getattr(binary, name) for name in ("high", "low", "ratio")}
    return found if isinstance(score, str) else found | {"per_sd": score.ratio}


def _ratios(binary: Interaction | str, score: Interaction | str, results: Results) -> Table:
    found = _found(binary, score)
    why = {"high": binary, "low": binary, "ratio": binary, "per_sd": score}
    rows = [
        [name, interval(found[key].ratio.as_dict(), digits=2), p_value(found[key].p)]
        if key in found
        else [name, f"not computable: {why[key]}", ""]
        for key, name in LINES.items()
    ]
    return Table(
        caption=f"{results.title}: treatment x risk interaction, by Cox regression.",
        header=["", "Hazard ratio (95% interval)", "P"],
        rows=rows,
    )


def conclusion(found: Interaction | str, score: Interaction | str, pairs: dict[str, tuple[Arm, Arm]]) -> str:
    """What the comparison can and cannot support, in plain sentences made from its numbers."""
    cannot = (
        "The treatment was not randomised, and no covariate is adjusted for: a difference between treated and"
        " untreated patients may come from who was treated. "
    )
    if isinstance(found, str):
        return f"{cannot}Whether it differs with risk cannot be said here: {found}."
    high, low = (_log_rank(pairs[key]).value for key in ("high", "low"))
    within = f"The log-rank P is {p_value(high)} at high and {p_value(low)} at low risk. "
    if (high < SIGNIFICANT) != (low < SIGNIFICANT):
        within += (
            "A difference that is significant in one group and not in the other is no evidence that the groups differ"
            " in it; the interaction is the test of that. "
        )
    again = ""
    if not isinstance(score, str):
        told = interval(score.ratio.ratio.as_dict(), digits=2)
        again = f" By the score itself the interaction is {told} per SD, P {p_value(score.ratio.p)}."
    return cannot + within + _verdict(found.ratio) + again


def _verdict(ratio: HazardRatio) -> str:
    found = ratio.ratio
    assert found.low is not None
    assert found.high is not None
    told = (
        f"The interaction is {interval(found.as_dict(), digits=2)}, P {p_value(ratio.p)}; its interval spans a factor"
        f" of {found.high / found.low:.1f} from end to end"
    )
    if found.low <= 1 <= found.high:
        return (
            f"{told} and includes 1: these {found.n} patients do not show that treatment goes with a different course"
            " at high than at low risk, nor that it does not; the score is not shown to predict who benefits."
        )
    side = "better" if found.high < 1 else "worse"
    return (
        f"{told} and excludes 1: among these {found.n} patients treatment goes with a relatively {side} course at high"
        " than at low risk. That is a lead for a randomised comparison, and no proof that the score predicts who"
        " benefits."
    )
