"""Visits: the histories of patients in a table of visits, a row a visit, as ragged series that end at each of them."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hepatica.clinical.landmarks import LandmarkPlan, past, past_reason
from hepatica.clinical.rows import column_of, numeric
from hepatica.cohort import Cohort, CohortError, Months, SettingsError
from hepatica.cohort.preparation import Store
from hepatica.learn import Share
from hepatica.networks import Series, Standardise


@dataclass(frozen=True, kw_only=True)
class VisitPlan(LandmarkPlan):
    """Settings of a system that reads histories of visits."""

    table: str = "visits"
    """Table of cohort.toml with a row a visit."""
    columns: tuple[str, ...] = ()
    """Its columns that are read."""
    baseline: tuple[str, ...] = ()
    """Columns of patients.csv that are read beside; COLUMN=VALUE for a category."""
    history: Months | None = None
    """Months of history that are read before each visit; none: all."""
    mask_history: Share = 0.0
    """Share of training samples from which a random number of the oldest visits is left out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VisitStore(Store):
    """Histories of many patients, one row of `index` a visit: what was known at that visit, no later.

    `cells` (visits, 1 + d + s) float32: the month of each visit, values of `columns` and of the patient's `baseline`,
    NaN where one is missing; visits of a patient are in order. `index`: patient_id, specimen_id (the same), months,
    `first` and `place` (rows of `cells` with which the history begins and ends), `landmark` (whether it is the
    patient's last visit up to the landmark). `specimens`: one row a patient who has one: patient_id, specimen_id, key.
    `failures`: the others: patient_id, specimen_id, row, error.
    """

    columns: tuple[str, ...]
    baseline: tuple[str, ...]
    cells: NDArray[np.float32]

    def read(self, indices: np.ndarray) -> NDArray[np.float32]:
        """Histories of these rows of `index`: (b, v, 1 + d + s), v visits as the longest has; others end in NaN."""
        first, last = (self.index[name].to_numpy()[indices, None] for name in ("first", "place"))
        steps = first + np.arange(max(int((last - first).max(initial=0)) + 1, 1))
        found: NDArray[np.float32] = self.cells[np.minimum(steps, last)]
        found[steps > last] = np.nan
        return found

    def at_landmark(self) -> "VisitStore":
        """The same with the row of each patient's landmark alone."""
        return replace(self, index=self.index[self.index["landmark"]].reset_index(drop=True))

    def standardise(self, network: nn.Module, *, patients: Iterable[str]) -> None:
        """Fix mean and SD of the network's `Series` and `Standardise` layers by the visits of these patients."""
        own = self.select(patient_ids=patients)
        rows = own.cells[np.unique(own.index["place"])]
        visits, values = rows[:, 1 : 1 + len(self.columns)], rows[:, 1 + len(self.columns) :]
        owner = own.index.drop_duplicates("place").sort_values("place")["patient_id"].to_numpy()
        first = pd.DataFrame(visits).groupby(owner, sort=False).first().to_numpy(np.float32)
        for layer in network.modules():
            if isinstance(layer, Series):
                layer.fit(first, values=visits)
            if isinstance(layer, Standardise):
                layer.fit(values[~pd.Series(owner).duplicated().to_numpy()])


def read_visits(cohort: Cohort, settings: VisitPlan) -> VisitStore:
    """The visits of every patient in the order of their months, a row that repeats another once; patients without a
    visit up to the landmark are failures.

    CohortError for a table that is absent or has no time, and for a column that is absent or not numeric.
    """
    table = cohort.table(settings.table)
    if "months" not in table:
        raise CohortError(
            f"table {settings.table} of {cohort.name} has no time, wanted one; add time and unit to"
            f" [tables.{settings.table}] of cohort.toml"
        )
    lacking = [name for name in settings.columns if name not in table]
    if lacking or not settings.columns:
        have = ", ".join(table.columns.drop(["patient_id", "months"]))
        raise CohortError(
            f"table {settings.table} of {cohort.name} has no column {', '.join(lacking) or 'to read'}; name those it"
            f" has, as in --set 'columns=[\"afp_ng_ml\"]': {have}"
        )
    if not settings.baseline:
        raise SettingsError("got no baseline columns; name some, such as --set 'baseline=[\"age_years\"]'")
    table = table.drop_duplicates()
    table = table.assign(place=cohort.patients.index.get_indexer(pd.Index(table["patient_id"]))).sort_values(
        ["place", "months"], kind="stable", ignore_index=True
    )
    read = [numeric(table[name], name=name, cohort=cohort.name) for name in settings.columns]
    fixed = np.stack([column_of(cohort, name) for name in settings.baseline], axis=1)[table["place"]]
    cells = np.column_stack([table["months"], *read, fixed]).astype(np.float32)
    return _store(cohort, settings, cells=cells, table=table)


def _store(cohort: Cohort, settings: VisitPlan, *, cells: NDArray[np.float32], table: pd.DataFrame) -> VisitStore:
    owner, months = table["patient_id"].astype(str), table["months"].to_numpy()
    starts = owner.groupby(owner, sort=False).cumcount()
    first = np.arange(len(owner)) - starts.to_numpy()
    if settings.history is not None:
        # Months of all patients on one line, those of each apart from the others, make one search of many.
        apart = table["place"].to_numpy() * (np.ptp(months) + settings.history + 1) if len(months) else months
        first = np.maximum(first, np.searchsorted(apart + months, apart + months - settings.history))
    index = pd.DataFrame(
        {"patient_id": owner, "specimen_id": owner, "months": months, "first": first, "place": np.arange(len(owner))}
    )
    gone = past(cohort, settings)
    before = index[(months <= settings.landmark) & ~gone[table["place"]]]
    index["landmark"] = index["place"].isin(before.groupby("patient_id")["place"].last())
    index = index[index["patient_id"].isin(before["patient_id"])].reset_index(drop=True)
    ids = cohort.patients.index.astype(str)
    everyone = pd.DataFrame({"patient_id": ids, "specimen_id": ids})
    known = everyone["patient_id"].isin(index["patient_id"])
    keys = {
        who: hashlib.sha256(f"{cohort.hospital}\0{who}\0".encode() + cells[rows].tobytes()).hexdigest()
        for who, rows in index.groupby("patient_id")["place"]
    }
    error = np.where(gone, past_reason(settings), f"no visit in {settings.table} up to month {settings.landmark:g}")
    return VisitStore(
        columns=settings.columns,
        baseline=settings.baseline,
        cells=cells,
        index=index,
        specimens=everyone[known].assign(key=everyone["patient_id"].map(keys)).reset_index(drop=True),
        failures=everyone.assign(row=np.arange(len(ids)) + 2, error=error)[~known].reset_index(drop=True),
    )


def masking(settings: VisitPlan) -> Callable[[Tensor], Tensor]:
    """Augmentation that leaves out a random number of the oldest visits of a share `mask_history` of histories
    (b, v, …), the last one never.
    """

    def mask(visits: Tensor) -> Tensor:
        if not settings.mask_history:
            return visits
        count = visits[..., 0].isfinite().sum(dim=1)
        chosen = torch.rand(len(visits), device=visits.device) < settings.mask_history
        dropped = (torch.rand(len(visits), device=visits.device) * count * chosen).long()
        return without_oldest(visits, dropped)

    return mask


def without_oldest(visits: Tensor, dropped: Tensor) -> Tensor:
    """Histories (b, v, …) without their first `dropped` (b,) visits, those that stay moved to the front."""
    steps = torch.arange(visits.shape[1], device=visits.device) + dropped[:, None]
    moved = visits.gather(1, steps.clamp(max=visits.shape[1] - 1)[..., None].expand_as(visits))
    return moved.masked_fill((steps >= visits.shape[1])[..., None], torch.nan)
