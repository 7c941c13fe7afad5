"""Card: what a model is for, what it was trained on, its performance and its departures from the paper, in Markdown."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hepatica.report.chapters.summary import quoted
from hepatica.report.page import Run
from hepatica.report.page.metric_table import metric_cell
from hepatica.report.page.provenance import changed_settings, system_notes
from hepatica.report.page.wording import FOLDS, METRICS, about

OUTPUTS = {
    "binary": "A score from 0 to 1 (higher means {})",
    "multi_class": "A probability of each class",
    "survival": "A risk, any number (higher means {})",
    "quantities": "Values",
    "segmentation": "A mask",
    "subtypes": "A group",
    "margin": "A width in mm",
}
"""What a model gives, by its kind of task."""


def write_card(run: Run) -> str:
    """The model card as Markdown text."""
    # Markdown, read as text: escaping for HTML would only spoil it; what cohorts are called is escaped one by one.
    templates = Environment(
        loader=PackageLoader("hepatica.report.documents", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,
    )
    templates.filters["plain"] = plain
    return templates.get_template("card.md.jinja").render(
        system=run.system,
        paper=run.system.paper,
        targets=[about(target) for target in run.targets],
        output=OUTPUTS[run.tasks[0].KIND].format("sooner" if run.followed else "more likely"),
        phantom=run.phantom,
        tag=" (phantom)" if run.phantom else "",
        flow=_flow(run),
        cohorts=[each.title for each in run.cohorts],
        numbers=_numbers(run),
        cutoffs=run.cutoffs,
        changed=changed_settings(run),
        model=run.model,
        digest=run.digest,
        versions=run.settings["versions"],
        notes=system_notes(run),
    )


def plain(text: Any) -> str:
    """Text of a cohort's or a setting's own, so that Markdown shows it as it is: no cell, tag, link or line begins."""
    return re.sub(r"([\\|<`*]|(?<=\])\()", r"\\\1", " ".join(str(text).split()))


def _flow(run: Run) -> list[dict[str, Any]]:
    rows = []
    for each in run.cohorts:
        for step in each.cohort["flow"]:
            name = step["step"].removeprefix("fold ")
            rows.append(step | {"cohort": each.cohort["name"], "step": FOLDS.get(name, name).lower()})
    return rows


def _numbers(run: Run) -> list[list[str]]:
    return [
        [f"{METRICS[name]}, {about(target)}", *(metric_cell(run, each, name, target=target) for each in run.cohorts)]
        for target in run.targets
        for name in quoted(run)
    ]
