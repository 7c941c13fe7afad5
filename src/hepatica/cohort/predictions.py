"""Predictions table: the hinge between networks and statistics, one row a score.

Columns: patient_id; specimen_id (missing in the row of a whole patient, pooled over specimens); lesion_id (missing but
in rows of a lesion, which come last); fold (train, validation, test, set_aside, external or predicted); task (its
kind); endpoint; horizon_months (of a binary task: 0 = at the examination, missing = end of follow-up);
class_or_quantity (what a multi-class score or a quantity is of); score (a probability, a risk or a quantity, by the
task; missing where the specimen was not assessable); group (high or low by the locked cut-off, or the class called;
missing in rows of specimens); applicability (`in_domain`, `unusual`, `not_assessable` or `unknown`) and reason;
seen_in_training; path (of a predicted mask).
"""

from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort.applicability import UNKNOWN
from hepatica.cohort.errors import CohortError
from hepatica.cohort.seal import sealing
from hepatica.cohort.tasks import Target
from hepatica.cohort.units import Months

COLUMNS = {
    "patient_id": "string",
    "specimen_id": "string",
    "lesion_id": "string",
    "fold": "string",
    "task": "string",
    "endpoint": "string",
    "horizon_months": "Float64",
    "class_or_quantity": "string",
    "score": "float64",
    "group": "string",
    "applicability": "string",
    "reason": "string",
    "seen_in_training": "boolean",
    "path": "string",
}

DEFAULTS: dict[str, Any] = {
    "lesion_id": pd.NA,
    "task": "binary",
    "class_or_quantity": pd.NA,
    "applicability": UNKNOWN,
    "reason": pd.NA,
    "seen_in_training": False,
    "path": pd.NA,
}
"""What a column holds where a table does not have it."""

LESION = ["patient_id", "specimen_id", "lesion_id"]
"""Columns that say of which lesion a row is."""

PROBABILITY = "probability_"
"""Before the name of a class in the columns of regions.parquet."""

TARGET = ["task", "endpoint", "horizon_months"]
"""Columns that say what a score is about."""


def as_predictions(table: pd.DataFrame) -> pd.DataFrame:
    """The table with exactly the columns and types of a predictions table; CohortError when one is missing."""
    missing = [name for name in COLUMNS if name not in table.columns and name not in DEFAULTS]
    if missing:
        raise CohortError(f"a predictions table lacks {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
    filled = table.copy(deep=False)
    for name in DEFAULTS.keys() - set(table.columns):
        filled[name] = DEFAULTS[name]
    return filled[list(COLUMNS)].astype(COLUMNS).reset_index(drop=True)


def write_predictions(table: pd.DataFrame, *, path: Path) -> None:
    """Write parquet, or CSV when the name ends so; sealed."""
    with sealing(path) as temporary:
        if path.suffix == ".csv":
            as_predictions(table).to_csv(temporary, index=False)
        else:
            as_predictions(table).to_parquet(temporary, index=False)


def read_predictions(path: Path, *further: Path) -> pd.DataFrame:
    """Read what `write_predictions` wrote, to the last digit; CohortError when the file is something else.

    The rows of `further` files, which are CSV too, follow: read at once, many small files take a fraction of the time.
    """
    try:
        if path.suffix == ".csv":
            text = StringIO("".join([path.read_bytes().decode(), *map(_body, further)]))
            read = pd.read_csv(text, dtype="string", keep_default_na=False, na_values=[""])
            if "seen_in_training" in read.columns:
                read["seen_in_training"] = (
                    read["seen_in_training"].map({"True": True, "False": False}).astype("boolean")
                )
            return as_predictions(read)
        return as_predictions(pd.read_parquet(path))
    except ValueError as error:
        raise CohortError(f"{path.name} is not a predictions table: {error}") from error


def _body(path: Path) -> str:
    """The rows of a CSV without its header, which is that of every predictions table."""
    header, _, rows = path.read_bytes().decode().partition("\n")
    if header != ",".join(COLUMNS):
        raise ValueError(f"got the columns {header}")
    return rows


def mean_by_patient(specimens: pd.DataFrame) -> pd.DataFrame:
    """One row a patient, target and class or quantity: the mean score over the patient's specimens that have one.

    Where none has, the first `reason`, if the specimens have that column.
    """
    optional = [name for name in ("task", "class_or_quantity") if name in specimens.columns]
    keys = ["patient_id", "endpoint", "horizon_months", *optional]
    columns = {"score": "mean"} | ({"reason": "first"} if "reason" in specimens else {})
    found = specimens.groupby(keys, sort=False, dropna=False, as_index=False).agg(columns)
    return found.assign(reason=found["reason"].where(found["score"].isna())) if "reason" in found else found


def targets(table: pd.DataFrame) -> list[Target]:
    """What the table predicts, in the order of first appearance."""
    rows = table[[name for name in TARGET if name in table.columns]].drop_duplicates()
    rows = rows.assign(task=rows["task"] if "task" in rows.columns else "binary")[TARGET]
    return [
        Target(task=task, endpoint=str(endpoint), horizon=None if pd.isna(horizon) else Months(float(horizon)))
        for task, endpoint, horizon in rows.itertuples(index=False)
    ]


def is_about(table: pd.DataFrame, *, target: Target) -> "pd.Series[bool]":
    """Whether each row predicts the target."""
    horizon = table["horizon_months"]
    same = horizon.isna() if target.horizon is None else (horizon == target.horizon).fillna(False)
    found = (table["endpoint"] == target.endpoint) & same.astype(bool)
    return found & (table["task"] == target.task) if "task" in table.columns else found


def of_patients(table: pd.DataFrame, *, target: Target, fold: str | None = None) -> pd.DataFrame:
    """The rows of whole patients for one target that have a score, of one fold or of all."""
    rows = table[table["specimen_id"].isna() & is_about(table, target=target) & table["score"].notna()]
    return rows if fold is None else rows[rows["fold"] == fold]


def patient_scores(table: pd.DataFrame, *, target: Target, fold: str | None = None) -> pd.DataFrame:
    """Score, group and fold of each patient for a target of one score, indexed by patient_id."""
    return of_patients(table, target=target, fold=fold).set_index("patient_id")[["score", "group", "fold"]]


def lesion_scores(table: pd.DataFrame, *, target: Target, fold: str) -> pd.DataFrame:
    """Score of each lesion (rows, by patient_id, specimen_id and lesion_id) and class (columns), of one fold."""
    rows = table[table["lesion_id"].notna() & is_about(table, target=target) & (table["fold"] == fold)]
    return rows.pivot(index=LESION, columns="class_or_quantity", values="score")


def class_scores(table: pd.DataFrame, *, target: Target, fold: str | None = None) -> pd.DataFrame:
    """Score of each patient (rows, by patient_id) and class or quantity (columns, in the table's order)."""
    rows = of_patients(table, target=target, fold=fold)
    wide = rows.pivot(index="patient_id", columns="class_or_quantity", values="score")
    return wide.loc[rows["patient_id"].unique(), rows["class_or_quantity"].unique()]
