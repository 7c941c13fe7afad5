"""Page: what a report is made of, and how it is laid out and worded."""

from hepatica.report.page.blocks import Answers, Block, Columns, Figure, Panel, Quotation, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import TRAINED_ON, Results, Run, read_run

__all__ = [
    "TRAINED_ON",
    "Answers",
    "Block",
    "Columns",
    "Figure",
    "Gallery",
    "Panel",
    "Quotation",
    "Results",
    "Run",
    "Section",
    "Table",
    "Text",
    "read_run",
]
