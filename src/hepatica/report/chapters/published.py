"""Published: what the paper reports of its own patients, in columns of its own beside what was found here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hepatica.cohort import Target
from hepatica.evaluate import Confusion, confusion
from hepatica.evaluate.binary.binary import AT_A_CUTOFF
from hepatica.report.page import Gallery, Run, Section, Table, Text
from hepatica.report.page.metric_table import metric_cell
from hepatica.report.page.wording import METRICS, NONE, about, interval, level, p_value

PLACES = {"internal": "Paper, its internal patients", "external": "Paper, its external patients"}
"""Patients of a paper as `Paper.reported` names them, and the head of their column."""

ELSEWHERE = {
    "adjusted_hazard_ratio": "see the chapter of clinical factors",
    "patch_accuracy": "see the chapter of classification",
}
"""Metrics that a chapter computes, and metrics.json lacks."""


@dataclass(frozen=True, kw_only=True)
class Printed:
    """More than `Paper.reported`: the counts behind a paper's rates, other cells as text, and remarks.

    `counts` and `cells` (by metric) are by place, `internal` or `external`. Intervals of rates are exact, from counts.
    """

    counts: Mapping[str, Confusion] = field(default_factory=dict)
    cells: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    text: str = ""
    note: str = ""


def section(run: Run, gallery: Gallery, *, printed: Printed | None = None) -> Section | str:
    """Each reported metric beside this run's at the locked cut-off; counts and exact intervals where they are known."""
    del gallery  # a table, nothing to draw
    rows = _reported(run) if printed is None else _counted(run, printed)
    if not rows:
        return "The system file holds no number that the paper reports: there is none to compare with."
    paper = run.system.paper
    note = (
        f"Reported: {paper.citation}, doi {paper.doi}. Other patients, other specimens, other cut-offs: the columns are"
        " for orientation, and their difference is not tested."
    )
    table = Table(
        caption="Reported by the paper on its own patients, beside what was found here.",
        header=[
            "",
            *(PLACES.get(where, f"Paper, {where} patients") for where in _places(run)),
            *(f"Here, {each.title}" for each in run.cohorts),
        ],
        rows=rows,
        note=f"{note} {printed.note}" if printed and printed.note else note,
    )
    text = [Text(text=printed.text)] if printed and printed.text else []
    return Section(anchor="published", title="Beside the paper's numbers", blocks=[*text, table])


def _places(run: Run) -> list[str]:
    return list(run.system.paper.reported) or list(PLACES)


def _reported(run: Run) -> list[list[str]]:
    known = {target.key: target for target in run.targets}
    theirs: dict[tuple[str, str], dict[str, str]] = {}
    for where, numbers in run.system.paper.reported.items():
        for name, value in numbers.items():
            metric, key = name.split(" ", 1)
            theirs.setdefault((metric, key), {})[where] = p_value(value) if metric.endswith("_p") else f"{value:.3f}"
    return [
        [
            _named(metric) + (f", {about(known[key])}" if key in known else f" {key}"),
            *(reported.get(where, NONE) for where in _places(run)),
            *(_here(run, known.get(key), metric)),
        ]
        for (metric, key), reported in theirs.items()
    ]


def _named(metric: str) -> str:
    """A metric in words; of one class, `auroc[HCC]`, with its name."""
    name, _, of = metric.partition("[")
    return METRICS.get(name, name) + (f" of {level(of[:-1])}" if of else "")


def _here(run: Run, target: Target | None, metric: str) -> list[str]:
    if target is None or metric in ELSEWHERE:
        return [ELSEWHERE.get(metric, NONE) for _ in run.cohorts]
    return [metric_cell(run, each, metric, target=target) for each in run.cohorts]


def _counted(run: Run, printed: Printed) -> list[list[str]]:
    target, counts = run.targets[0], printed.counts
    known = [each.outcomes(target).dropna(subset=["label"]) for each in run.cohorts]
    found = [confusion(each["label"], score=(each["group"] == "high").astype(float), cutoff=0.5) for each in known]
    rows = [
        ["True and false positives", *(f"{each.tp}, {each.fp}" for each in (*counts.values(), *found))],
        ["True and false negatives", *(f"{each.tn}, {each.fn}" for each in (*counts.values(), *found))],
    ]
    for metric in ("auroc", *AT_A_CUTOFF):
        theirs = [_cell(printed, where, metric) for where in _places(run)]
        rows.append([METRICS[metric], *theirs, *_here(run, target, metric)])
    return rows


def _cell(printed: Printed, where: str, metric: str) -> str:
    text = printed.cells.get(where, {}).get(metric)
    if text is None and metric in AT_A_CUTOFF and where in printed.counts:
        return interval(AT_A_CUTOFF[metric](printed.counts[where]).as_dict())
    return text or NONE
