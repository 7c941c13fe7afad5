"""Li 2025: the chapters of its report, in the order of the paper's Results."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

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
    summary,
)
from hepatica.report.chapters.follow_up import clinical_model, factors, progression, survival, treated, treatment_effect
from hepatica.report.chapters.variables import subgroups
from hepatica.report.page import Gallery, Run, Section, Text, provenance
from hepatica.studies.li_2025_cnn_sasm.chapters import clusters, interpretation, levels, selection
from hepatica.studies.li_2025_cnn_sasm.found import Study

__all__ = ["chapters_of"]

_ROWS = pd.read_csv(Path(__file__).with_name("table_3.csv")).to_numpy().tolist()
TABLE_3: dict[str, dict[str, Sequence[float]]] = {
    target: {metric: values for of, metric, *values in _ROWS if of == target} for target, *_ in _ROWS
}
"""Table 3 (doi 10.1186/s12916-025-03977-4), PPS-based and end-to-end; its cut-off is not stated and taken as 0.5."""

TEXT = (
    "Both strategies have the same network, settings, training and test patients. The signature is trained on denoised"
    " labels, and a second network scores it; end to end, a network a target is trained on the raw label directly. "
)
NOTE = (
    " The paper's columns are Table 3 of Li 2025, 57 other patients, its cut-off taken as 0.5; it gives neither"
    " intervals nor tests. Recomputed from its AUROC and counts of events (Hanley and McNeil), its intervals overlap at"
    " every time point."
)


def chapters_of(study: Study) -> list[Chapter]:
    """The paper's order: selection, interpretation, prognosis, indicators, sorafenib; then what it leaves out."""
    other = compare_runs.Other(
        own="Signature",
        name="End to end",
        predictions=study.end_to_end,
        cutoffs=study.end_to_end_cutoffs,
        text=TEXT,
        note=NOTE,
        undecided=" The paper's own differences, in 57 patients, are equally inconclusive.",
        printed=TABLE_3,
    )
    indicators = study.settings.indicators
    return [
        partial(_summary, study),
        flow.section,
        baseline.section,
        published.section,
        *(partial(_of_study, each.section, study) for each in (selection, levels, clusters)),
        partial(_of_study, interpretation.modules_section, study),
        partial(_of_study, interpretation.thresholds_section, study),
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


def _of_study(section: Callable[[Study, Gallery], Section], study: Study, run: Run, gallery: Gallery) -> Section:
    return section(study, gallery)


def _summary(study: Study, run: Run, gallery: Gallery) -> Section:
    """The summary of any report, which says so where external patients helped to choose the subset."""
    section = summary.section(run, gallery)
    if study.settings.generalisation == "held_out":
        return section
    text = (
        "One thing was chosen with the help of external patients, as in the paper: the denoised subset"
        ' (generalisation = "external"). The results of their cohorts are optimistic.'
    )
    return replace(section, blocks=[section.blocks[0], Text(text=text, tone="warning"), *section.blocks[1:]])
