"""Room: what every system of tables shares: one row a patient in, a score out, a picture of what moves it."""

from dataclasses import dataclass
from pathlib import Path

from hepatica.clinical.rows import read_rows
from hepatica.cohort import Cohort
from hepatica.cohort.phantom import phantom_tables
from hepatica.learn import Plan
from hepatica.protocol.plain import infer_regions
from hepatica.protocol.records import Room
from hepatica.protocol.row_picture import draw_row
from hepatica.protocol.rows import RowStore, measure, without_each


@dataclass(frozen=True, kw_only=True)
class TablePlan(Plan):
    """Settings of a system of tables."""

    columns: tuple[str, ...] = ()
    """Columns read: of patients.csv, or TABLE.COLUMN of another table; COLUMN=VALUE for a category."""


def prepare(cohort: Cohort, settings: TablePlan, folder: Path) -> RowStore:
    """The columns of every patient; nothing is kept in `folder`, for they are read in no time."""
    return read_rows(cohort, columns=settings.columns)


TABLES: Room[TablePlan, RowStore] = Room(
    modality="table",
    region="row",
    extra="all",
    plan=TablePlan,
    prepare=prepare,
    measure=measure,
    infer=infer_regions,
    saliency=without_each,
    draw=draw_row,
    phantom=phantom_tables,
)
"""Covariates and laboratory values."""
