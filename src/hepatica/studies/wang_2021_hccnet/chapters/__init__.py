"""Wang 2021: the chapters of its report in the order of the paper's Results."""

from functools import partial

from hepatica.report import Chapter
from hepatica.report.chapters import (
    baseline,
    calibration,
    checklist,
    discrimination,
    flow,
    localisation,
    published,
    readers,
    regions,
    shift,
    signatures,
    summary,
)
from hepatica.report.chapters.variables import covariates, subgroups
from hepatica.report.page import Gallery, Run, Section, provenance
from hepatica.studies.wang_2021_hccnet.chapters import variants
from hepatica.studies.wang_2021_hccnet.chapters.printed import HEATMAPS, NODULES, READERS, RISK, TABLE_2, TABLE_3

__all__ = ["CHAPTERS"]


def _nodules(run: Run, gallery: Gallery) -> Section | str:
    at = float(run.settings["settings"]["nodule_probability"])
    columns = {"mark": "nodule", "score": "nodule_log_odds"}
    return regions.marked_section(run, gallery, **columns, at=at, network="NoduleNet", paper=NODULES)


CHAPTERS: tuple[Chapter, ...] = (
    summary.section,
    flow.section,
    baseline.section,
    partial(published.section, printed=TABLE_2),
    discrimination.section,
    _nodules,
    partial(covariates.section, parameters=TABLE_3, scale=RISK),
    partial(readers.section, printed=READERS),
    partial(localisation.section, remark=HEATMAPS),
    variants.section,
    subgroups.section,
    shift.section,
    calibration.section,
    signatures.section,
    provenance.section,
    checklist.section,
)
