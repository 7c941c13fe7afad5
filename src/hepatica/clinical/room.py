"""Room: what all systems of tables share: a row or a history a patient in, a score out, a picture of what moves it."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hepatica.clinical.claims import ClaimPlan, CodeStore, read_claims
from hepatica.clinical.picture import draw_codes, draw_visits
from hepatica.clinical.rows import read_rows
from hepatica.clinical.visits import VisitPlan, VisitStore, masking, read_visits
from hepatica.cohort import Cohort, Task
from hepatica.cohort.phantom import WATCHED_CIRRHOSIS, phantom_tables
from hepatica.learn import Plan
from hepatica.protocol.plain import infer_regions, log_odds
from hepatica.protocol.records import Inference, Room
from hepatica.protocol.row_picture import draw_row
from hepatica.protocol.rows import MISSING, RowStore, measure, without_each
from hepatica.saliency.grad_cam import slopes


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
    tolerances=MISSING,
    infer=infer_regions,
    saliency=without_each,
    draw=draw_row,
    phantom=phantom_tables,
)
"""Covariates and laboratory values."""


def measure_visits(store: VisitStore) -> pd.DataFrame:
    """The last value of each variable up to the landmark, the baseline, and how many visits there were until then."""
    own = store.at_landmark()
    found = own.read(np.arange(len(own)))
    names = [*own.columns, *own.baseline]
    filled = [pd.DataFrame(each[:, 1:], columns=names).ffill().iloc[-1] for each in found]
    count = np.isfinite(found[..., 0]).sum(axis=1)
    return pd.DataFrame(filled).set_axis(own.index["specimen_id"].to_numpy()).assign(visits=count)


def infer_at_landmark(network: torch.nn.Module, material: VisitStore, settings: VisitPlan, task: Task) -> Inference:
    """The score of each visit, and as that of the patient the one of their last visit up to the landmark."""
    read = infer_regions(network, material, settings, task)
    own = read.regions.loc[read.regions["landmark"], ["patient_id", "specimen_id", "score"]]
    return Inference(specimens=own.reset_index(drop=True), regions=read.regions, signatures=read.signatures)


VISITS: Room[VisitPlan, VisitStore] = Room(
    modality="visits",
    region="visit",
    extra="all",
    plan=VisitPlan,
    prepare=lambda cohort, settings, folder: read_visits(cohort, settings),
    measure=measure_visits,
    infer=infer_at_landmark,
    augment=masking,
    saliency=without_each,
    draw=draw_visits,
    phantom=partial(phantom_tables, population=WATCHED_CIRRHOSIS),
)
"""Histories of visits, with gaps, and of what was measured at each."""


def measure_claims(store: CodeStore) -> pd.DataFrame:
    """How many months have a code, how many codes there are in all, and how many different ones."""
    rows = store.matrix[store.index["place"].to_numpy()].tocoo()
    count, codes = np.bincount(rows.row, minlength=len(store)), len(store.columns)
    table = pd.DataFrame({"row": rows.row, "month": rows.col // codes, "code": rows.col % codes})
    distinct = table.groupby("row")[["month", "code"]].nunique().reindex(range(len(store)), fill_value=0)
    found = {"codes": count, "months_with_a_code": distinct["month"], "different_codes": distinct["code"]}
    return pd.DataFrame({name: np.asarray(each, float) for name, each in found.items()}).set_axis(
        store.index["specimen_id"].to_numpy()
    )


def weight_of_codes(network: torch.nn.Module, matrices: np.ndarray) -> np.ndarray:
    """To first order, how far the output would move without each code (b, months, codes): in 0..1, the most is 1."""
    found, slope = slopes(network, torch.from_numpy(matrices), layer=network.get_submodule("entry"), target=log_odds)
    moved = (found * slope).abs().squeeze(1).numpy()
    most = moved.max(axis=(1, 2), keepdims=True)
    return np.asarray(np.divide(moved, most, out=np.zeros_like(moved), where=most > 0))


CLAIMS: Room[ClaimPlan, CodeStore] = Room(
    modality="claims",
    region="history",
    extra="all",
    plan=ClaimPlan,
    prepare=lambda cohort, settings, folder: read_claims(cohort, settings),
    measure=measure_claims,
    infer=infer_regions,
    saliency=weight_of_codes,
    draw=draw_codes,
    phantom=phantom_tables,
)
"""Histories of diagnosis codes."""
