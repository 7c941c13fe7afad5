"""By task: which chapters a report has, in the order of a paper's Results, by the task of its primary score."""

from collections.abc import Callable, Mapping, Sequence

from hepatica.report.chapters import (
    agreement,
    applicability,
    baseline,
    calibration,
    checklist,
    discrimination,
    flow,
    localisation,
    modules,
    multiclass,
    published,
    readers,
    regions,
    segmentation,
    shift,
    signatures,
    subtypes,
    summary,
)
from hepatica.report.chapters.follow_up import (
    factors,
    lead_time,
    margin,
    progression,
    survival,
    treated,
    treatment_effect,
)
from hepatica.report.chapters.variables import comparators, covariates, importance, missing, nomogram, subgroups
from hepatica.report.page import Gallery, Run, Section, provenance

Chapter = Callable[[Run, Gallery], Section | str]
"""Draws what a run's tables show; where they are absent, a sentence that says so."""

FIRST: tuple[Chapter, ...] = (
    summary.section,
    flow.section,
    applicability.section,
    baseline.section,
    missing.section,
    published.section,
)
LAST: tuple[Chapter, ...] = (
    modules.section,
    nomogram.section,
    comparators.section,
    importance.section,
    signatures.section,
    localisation.section,
    provenance.section,
    checklist.section,
)

FOLLOWED: tuple[Chapter, ...] = (
    survival.section,
    progression.section,
    factors.section,
    subgroups.section,
    shift.section,
)
TREATED: tuple[Chapter, ...] = (treated.section, treatment_effect.section)
"""Of an event of follow-up; and of patients set aside for their treatment."""

BY_TASK: Mapping[str, tuple[Chapter, ...]] = {
    "followed": (discrimination.section, lead_time.section, *FOLLOWED, calibration.section, readers.section, *TREATED),
    "binary": (
        discrimination.section,
        regions.section,
        covariates.section,
        readers.section,
        subgroups.section,
        shift.section,
        calibration.section,
    ),
    "multi_class": (multiclass.section, shift.section),
    "survival": (*FOLLOWED, *TREATED),
    "quantities": (agreement.section, shift.section),
    "margin": (agreement.section, margin.section, shift.section),
    "segmentation": (segmentation.section, shift.section),
    "subtypes": (subtypes.section, shift.section),
}
"""Chapters between the first and the last ones, by `summary.kind`: a binary task is one at the examination, `followed`
one by the horizons of a survival endpoint."""


def chapters_of(run: Run) -> Sequence[Chapter]:
    """The chapters of a run's report; of a system with several kinds of task those of each, the first one's first."""
    tasks, own = list(dict.fromkeys(target.task for target in run.targets)), BY_TASK[summary.kind(run)]
    if len(tasks) == 1:
        return (*FIRST, *own, *LAST)
    further = [_of(each, task) for task in tasks[1:] for each in BY_TASK[task] if each not in own]
    first, last = ([_of(each, tasks[0]) for each in chapters] for chapters in ((*FIRST, *own), LAST))
    return (*first, *further, *last)


def _of(chapter: Chapter, task: str) -> Chapter:
    return chapter if chapter is comparators.section else lambda run, gallery: chapter(run.asking(task), gallery)
