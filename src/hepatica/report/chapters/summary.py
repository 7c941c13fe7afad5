"""Summary: what was asked, of whom, and the numbers one would quote, on half a page."""

import pandas as pd

from hepatica.cohort import Target
from hepatica.cohort.columns import LONG_MONTHS
from hepatica.report.chapters import applicability
from hepatica.report.page import Block, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.metric_table import metric_table
from hepatica.report.page.provenance import system_title
from hepatica.report.page.wording import METRICS, about, estimate, event, patients, when

QUOTED = {
    "followed": ("auroc", "c_index", "log_rank_p"),
    "binary": ("auroc", "sensitivity", "specificity"),
    "multi_class": ("accuracy", "auroc_macro", "kappa"),
    "survival": ("c_index", "hazard_ratio", "log_rank_p"),
    "subtypes": ("c_index", "log_rank_p"),
    "quantities": ("bias", "rmse", "concordance"),
    "margin": ("bias", "rmse", "concordance"),
    "segmentation": ("dice_liver", "dice_lesions", "hd95_mm_liver", "lesion_sensitivity_lesions"),
}
"""Metrics on the first page, by the task of the primary score."""

NOTES = {
    "followed": "AUROC and C-index: 0.5 is chance, 1 is perfect. Log-rank P compares patients at or above the locked"
    " cut-off with those below it.",
    "binary": "AUROC: 0.5 is chance, 1 is perfect. Calls are those at the locked cut-off, {}.",
    "survival": "C-index: 0.5 is chance, 1 is perfect. Groups are those at the locked cut-off, {}.",
    "segmentation": "Dice: 0 is no overlap, 1 is perfect; the mean over scans, intervals clustered by patient.",
    "subtypes": "C-index of the expected subtype: 0.5 is chance, 1 is perfect. Log-rank P compares the subtypes.",
}

RANKING, CHANCE = ("auroc", "auroc_macro", "c_index"), 0.5
"""Metrics of which the first that is there makes the finding, and what each is without any discrimination."""

FEW_EVENTS = 100
"""Events below which an evaluation is imprecise (Collins 2016, doi 10.1002/sim.6787); of those without, the same."""


def section(run: Run, gallery: Gallery) -> Section:
    """Question, design, key numbers with intervals, limits the software can see."""
    paper = run.system.paper
    seen = run.internal.patients["fold"].isin(["train", "validation"]).sum()
    design = (
        f"{system_title(run)} was trained on {patients(int(seen))} of {run.internal.cohort['name']}, locked, and then"
        f" applied to {_applied(run)}. Nothing was fitted, chosen or re-tuned on those patients; the cut-offs are"
        " locked with the model."
    )
    source = f"The system: {paper.citation}, doi {paper.doi}."
    found = [Text(text=" ".join(findings))] if (findings := _findings(run)) else []
    blocks: list[Block] = [*found, Text(text=design), Text(text=source), _key_numbers(run), *_warnings(run)]
    return Section(anchor="summary", title="Summary", blocks=blocks)


def _findings(run: Run) -> list[str]:
    """A sentence a cohort on whether the primary score discriminates there, the furthest from training first."""
    target, sentences = run.targets[0], list[str]()
    named = f"{target.happening} {when(target).lower()}" if target.followed else about(target)
    for results in reversed(run.cohorts):
        found = {name: results.metric(name, target) for name in RANKING}
        name = next((each for each, row in found.items() if row is not None), RANKING[0])
        row = found[name]
        if row is None or pd.isna([row["value"], row["low"], row["high"]]).any():
            continue
        said = "does not exclude chance (0.5), so that no discrimination is shown"
        if row["low"] > CHANCE:
            said = "lies above chance (0.5)"
        elif row["high"] < CHANCE:
            said = "lies below chance (0.5): scores rank patients the wrong way round"
        sentences.append(
            f"{results.title}, {patients(int(row['n']))}: {METRICS[name]} for {named} is {estimate(row)}; the"
            f" interval {said}."
        )
    return sentences


def _applied(run: Run) -> str:
    cohorts = [
        f"{patients(int((each.patients['fold'] == each.fold).sum()))} of {each.cohort['name']}"
        f" ({'set apart before training' if each.fold == 'test' else 'another cohort'})"
        for each in run.cohorts
    ]
    return ", and to ".join(cohorts)


def kind(run: Run) -> str:
    """The task of the primary score; `followed` is a binary one by the horizons of a survival endpoint."""
    target = run.targets[0]
    return "followed" if target.task == "binary" and target.followed else target.task


def quoted(run: Run) -> tuple[str, ...]:
    """Metrics on the first page; of segmentation those of what is segmented."""
    named = QUOTED.get(kind(run), ())
    there = {name for each in run.cohorts for name in each.metrics["metric"]}
    return tuple(each for each in named if each in there) if kind(run) == "segmentation" else named


def _key_numbers(run: Run) -> Table:
    return metric_table(
        run,
        quoted(run),
        targets=[each for each in run.targets if each.task != "binary" or each.horizon is not None],
        caption="The numbers to quote, with 95% confidence intervals.",
        note=NOTES.get(kind(run), "").format(run.cutoff_rule),
    )


def _warnings(run: Run) -> list[Block]:
    """Limits that can be read from the tables."""
    texts = [f"{caution[:1].upper()}{caution[1:]}."] if (caution := run.model["training"].get("caution")) else []
    if not run.external:
        texts.append("There is no external cohort: performance at another hospital is unknown. See hepatica validate.")
    texts += [text for each in run.cohorts for text in _limits(each, run.targets[0])]
    unusual = (applicability.warning(each.title, applicability.specimens(each)) for each in run.cohorts)
    return [Text(text=text, tone="warning") for text in [*texts, *filter(None, unusual)]]


def _limits(results: Results, target: Target) -> list[str]:
    """Sentences where patients with or without the outcome are few, and where follow-up may be in days."""
    if target.task not in ("binary", "survival", "subtypes"):
        return []
    outcomes, texts = results.outcomes(target), []
    label = outcomes["label" if target.task == "binary" else "event"]
    events, without = int((label == 1).sum()), int((label == 0).sum())
    named = f"{target.happening} {when(target).lower()}" if target.followed else event(target)
    if target.task == "binary" and min(events, without) < FEW_EVENTS:
        texts.append(
            f"{results.title}: {events} with and {without} without {named}; fewer than {FEW_EVENTS} of either"
            " leave wide intervals."
        )
    elif events < FEW_EVENTS:
        texts.append(f"{results.title}: {events} with the event; fewer than {FEW_EVENTS} leave wide intervals.")
    if "time" in outcomes and (median := outcomes["time"].median()) > LONG_MONTHS:
        texts.append(
            f"{results.title}: the median follow-up is {median:g} months ({median / 12:.0f} years); if these are days,"
            " every horizon, curve and rate of this report is wrong."
        )
    return texts
