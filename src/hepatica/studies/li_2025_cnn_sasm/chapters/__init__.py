"""Li 2025: the chapters of its report, in the order of the paper's Results."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hepatica.report import Chapter
from hepatica.report.chapters import (
    baseline,
    calibration,
    checklist,
    compare_runs,
    discrimination,
    flow,
    published,
    shift,
    subgroups,
    summary,
)
from hepatica.report.chapters.follow_up import clinical_model, factors, progression, survival, treated, treatment_effect
from hepatica.report.page import provenance
from hepatica.report.page.blocks import Section, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.studies.li_2025_cnn_sasm.chapters import clusters, levels, modules, selection, thresholds
from hepatica.studies.li_2025_cnn_sasm.chapters.found import Study, read_study

__all__ = ["Study", "chapters_of", "read_study"]

TABLE_3 = {
    "recurrence_12": {
        "auroc": (0.818, 0.721),
        "average_precision": (0.697, 0.566),
        "accuracy": (0.702, 0.649),
        "ppv": (0.632, 0.550),
        "sensitivity": (0.545, 0.500),
        "f1": (0.585, 0.524),
    },
    "recurrence_24": {
        "auroc": (0.811, 0.774),
        "average_precision": (0.708, 0.671),
        "accuracy": (0.684, 0.684),
        "ppv": (0.636, 0.650),
        "sensitivity": (0.583, 0.542),
        "f1": (0.609, 0.591),
    },
    "recurrence_final": {
        "auroc": (0.709, 0.654),
        "average_precision": (0.685, 0.639),
        "accuracy": (0.684, 0.632),
        "ppv": (0.656, 0.652),
        "sensitivity": (0.750, 0.536),
        "f1": (0.700, 0.588),
    },
}
"""Table 3 (doi 10.1186/s12916-025-03977-4), PPS-based and end-to-end; its cut-off is not stated and taken as 0.5."""

TEXT = (
    "Both strategies have the same network, settings, training and test patients. The signature is learnt from denoised"
    " labels, and a second network scores it; end to end, a network a target learns the raw label at once. "
)
NOTE = (
    " The paper's columns are Table 3 of Li 2025, 57 other patients, its cut-off taken as 0.5; it gives neither"
    " intervals nor tests. Recomputed from its AUROC and counts of events (Hanley and McNeil), its intervals overlap at"
    " every time point."
)


def chapters_of(study: Study) -> list[Chapter]:
    """The paper's order: selection, seeing, prognosis, clinical indicators, sorafenib; then what it leaves out."""
    other = compare_runs.Other(
        own="Signature",
        name="End to end",
        predictions=study.end_to_end,
        cutoffs=study.end_to_end_cutoffs,
        text=TEXT,
        note=NOTE,
        undecided=" The paper's own differences, in 57 patients, are as undecided.",
        printed=TABLE_3,
    )
    indicators = study.settings.indicators
    return [
        partial(_summary, study),
        flow.section,
        baseline.section,
        published.section,
        *(partial(_bound, each.section, study) for each in (selection, levels, clusters, modules, thresholds)),
        discrimination.section,
        progression.section,
        survival.section,
        partial(compare_runs.section, other=other),
        partial(clinical_model.section, out_of_fold=study.out_of_fold, indicators=indicators),
        factors.section,
        subgroups.section,
        treated.section,
        treatment_effect.section,
        shift.section,
        calibration.section,
        provenance.section,
        checklist.section,
    ]


def _bound(
    section: Callable[[Study, Gallery], Section | str], study: Study, run: Run, gallery: Gallery
) -> Section | str:
    """A chapter of the study, which knows more than its run."""
    return section(study, gallery)


def _summary(study: Study, run: Run, gallery: Gallery) -> Section:
    """The summary of any report, which says so where external patients helped to choose the subset."""
    section = summary.section(run, gallery)
    if study.settings.generalisation == "held_out":
        return section
    told = (
        "One thing was chosen with the help of external patients, as in the paper: the denoised subset"
        ' (generalisation = "external"). The results of their cohorts are optimistic.'
    )
    return replace(section, blocks=[section.blocks[0], Text(text=told, tone="warning"), *section.blocks[1:]])
