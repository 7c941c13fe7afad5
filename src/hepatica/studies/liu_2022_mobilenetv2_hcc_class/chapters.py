"""Chapters: the report of Liu 2022 in the order of the abstract."""

from functools import partial

from hepatica.report import Chapter
from hepatica.report.chapters import (
    baseline,
    checklist,
    flow,
    localisation,
    published,
    reviewed,
    shift,
    signatures,
    summary,
)
from hepatica.report.chapters.follow_up import ablation, factors, over_time, survival
from hepatica.report.chapters.variables import subgroups
from hepatica.report.page import provenance

HEATMAPS = (
    "In the paper, pathologists found stroma, cytological atypia, nuclear hyperchromasia and few immune cells in the"
    " areas most predictive of recurrence."
)
COUNTED = (
    "The paper reports stroma, cytological atypia, nuclear hyperchromasia and few immune cells where recurrence was"
    " predicted, without counts. "
)
EXPECTED = {"stroma": 1, "nuclear_size": 1, "nuclear_variation": 1, "hyperchromasia": 1, "immune_cells": -1}
"""Direction in which the paper's pathologists found it in predictive areas."""

AUCS = (
    "The paper states that the classifier had a higher time-dependent AUC than the other factors in the transplanted"
    " patients and in TCGA; the abstract gives no values. "
)
OPEN = (
    "The abstracts state neither how the nuclear map joins the tile nor how tiles become one answer, and only the"
    " preprint says that patients were chosen by a distinct outcome. "
)

CHAPTERS: tuple[Chapter, ...] = (
    summary.section,
    flow.section,
    baseline.section,
    published.section,
    survival.section,
    factors.section,
    partial(over_time.section, remark=AUCS),
    subgroups.section,
    partial(ablation.section, title="What the abstracts leave open", remark=OPEN),
    partial(localisation.section, remark=HEATMAPS),
    partial(reviewed.section, expected=EXPECTED, remark=COUNTED),
    shift.section,
    signatures.section,
    provenance.section,
    checklist.section,
)
