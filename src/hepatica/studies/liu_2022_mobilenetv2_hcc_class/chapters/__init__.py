"""Liu 2022: the chapters of its report in the order of the abstract."""

from functools import partial

from hepatica.report import Chapter
from hepatica.report.chapters import baseline, checklist, flow, localisation, published, shift, signatures, summary
from hepatica.report.chapters.follow_up import factors, survival
from hepatica.report.chapters.variables import subgroups
from hepatica.report.page import provenance
from hepatica.studies.liu_2022_mobilenetv2_hcc_class.chapters import ablation, over_time, reviewed
from hepatica.studies.liu_2022_mobilenetv2_hcc_class.chapters.ablation import ABLATIONS
from hepatica.studies.liu_2022_mobilenetv2_hcc_class.chapters.reviewed import REVIEW, SHEET

__all__ = ["ABLATIONS", "CHAPTERS", "REVIEW", "SHEET"]

HEATMAPS = (
    "In the paper, pathologists found stroma, cytological atypia, nuclear hyperchromasia and few immune cells in the"
    " areas most predictive of recurrence."
)

CHAPTERS: tuple[Chapter, ...] = (
    summary.section,
    flow.section,
    baseline.section,
    published.section,
    survival.section,
    factors.section,
    over_time.section,
    subgroups.section,
    ablation.section,
    partial(localisation.section, remark=HEATMAPS),
    reviewed.section,
    shift.section,
    signatures.section,
    provenance.section,
    checklist.section,
)
