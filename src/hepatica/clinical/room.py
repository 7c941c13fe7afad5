"""Room: what every system of tables shares: one row a patient in, a score out, a picture of what moves it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from hepatica.clinical.picture import draw_row
from hepatica.clinical.rows import RowStore, read_rows
from hepatica.cohort import Cohort
from hepatica.cohort.phantom import phantom_tables
from hepatica.learn import Plan
from hepatica.protocol.plain import infer_regions, log_odds
from hepatica.protocol.records import Room
from hepatica.saliency.slopes import evaluating


@dataclass(frozen=True, kw_only=True)
class TablePlan(Plan):
    """Settings of a system of tables."""

    columns: tuple[str, ...] = ()
    """Columns read: of patients.csv, or TABLE.COLUMN of another table; COLUMN=VALUE for a category."""


def prepare(cohort: Cohort, settings: TablePlan, folder: Path) -> RowStore:
    """The columns of every patient; nothing is kept in `folder`, for they are read in no time."""
    return read_rows(cohort, columns=settings.columns)


def measure(store: RowStore) -> pd.DataFrame:
    """The values of each patient; a value that is missing is not counted."""
    places = store.index["place"].to_numpy()
    return pd.DataFrame(store.values[places], columns=list(store.columns), index=store.index["specimen_id"].to_numpy())


def without_each(
    network: torch.nn.Module, rows: np.ndarray, *, read: Callable[[Any], torch.Tensor] = log_odds
) -> np.ndarray:
    """How far the output moves when each value (b, d) is taken for missing: (b, d) in 0..1, the most of a row is 1."""

    def output(values: np.ndarray) -> np.ndarray:
        return read(network(torch.from_numpy(values))).float().numpy()

    moved = np.zeros(rows.shape)
    with torch.inference_mode(), evaluating(network):
        known = output(rows)
        for place in range(rows.shape[1]):
            changed = rows.copy()
            changed[:, place] = np.nan
            moved[:, place] = np.abs(output(changed) - known)
    most = moved.max(axis=1, keepdims=True)
    return np.asarray(np.divide(moved, most, out=np.zeros_like(moved), where=most > 0))


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
