"""Room: what every system of molecular tables shares: one vector a patient in, a score out."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from torch import nn

from hepatica.cohort import Cohort
from hepatica.cohort.atomic import replacing
from hepatica.cohort.phantom import SCREENED, phantom_tables
from hepatica.learn import Plan
from hepatica.networks import Standardise
from hepatica.omics.expression import all_features, read_features
from hepatica.protocol.plain import infer_regions, log_odds
from hepatica.protocol.records import Room
from hepatica.protocol.row_picture import draw_row
from hepatica.protocol.rows import MISSING, RowStore, measure, without_each
from hepatica.saliency import integrated_gradients

MANY = 50
"""Features above which a specimen is described by the distribution of its values, not by each of them. Ours."""


@dataclass(frozen=True, kw_only=True)
class GenePlan(Plan):
    """Settings of a system of molecular tables."""

    tables: tuple[str, ...] = ("expression",)
    """Tables of cohort.toml that are read, each with its `kind`."""
    features: tuple[str, ...] = ()
    """What is read, as TABLE.NAME; none named: all that `tables` of the cohort trained on have."""


G = TypeVar("G", bound=GenePlan)


def complete(cohort: Cohort, settings: G) -> G:
    """The settings with their features named: those of the cohort where none are."""
    return settings if settings.features else replace(settings, features=all_features(cohort, tables=settings.tables))


def prepare(cohort: Cohort, settings: GenePlan, folder: Path | None) -> RowStore:
    """The features of every patient; `features.csv` in `folder` says which identifiers each was read from."""
    store, report = read_features(cohort, features=settings.features)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / "features.csv") as temporary:
            report.to_csv(temporary, index=False)
    return store


def measured(store: RowStore) -> pd.DataFrame:
    """The values of each patient, or of many their median, spread (quartiles) and share missing, by table."""
    values = measure(store)
    if len(store.columns) <= MANY:
        return values
    values = values[list(store.columns)]
    described = {}
    for table, own in values.T.groupby([name.partition(".")[0] for name in store.columns]):
        low, middle, high = own.quantile([0.25, 0.5, 0.75]).to_numpy()
        described[f"{table} median"], described[f"{table} spread"] = middle, high - low
        described[f"{table} missing"] = own.isna().mean().to_numpy()
    return pd.DataFrame(described, index=values.index)


def attributed(network: nn.Module, rows: np.ndarray) -> np.ndarray:
    """How far the output moves without each value, (b, d) in 0..1; of MANY values by integrated gradients from the mean
    training patient, for which two passes a value would take minutes.
    """
    if rows.shape[1] <= MANY:
        return without_each(network, rows)
    mean = next(each.mean for each in network.modules() if isinstance(each, Standardise))
    moved = np.abs(integrated_gradients(network, rows, baseline=mean.numpy(), target=log_odds))
    return np.asarray(moved / np.maximum(moved.max(axis=1, keepdims=True), 1e-12))


GENES: Room[GenePlan, RowStore] = Room(
    modality="genes",
    region="row",
    extra="all",
    plan=GenePlan,
    complete=complete,
    prepare=prepare,
    measure=measured,
    tolerances=MISSING,
    infer=infer_regions,
    saliency=attributed,
    draw=draw_row,
    phantom=partial(phantom_tables, population=SCREENED),
)
"""Expression, methylation, miRNA, proteins, metabolites, microbiome, copy number and mutations."""
