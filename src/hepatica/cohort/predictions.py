"""Predictions table: the hinge between networks and statistics, one row a score.

Columns: patient_id; specimen_id (missing in the row of a whole patient, pooled over specimens); fold (train,
validation, test, set_aside, external or predicted); endpoint; horizon_months (0 = a diagnosis, missing = end of
follow-up); score in 0..1, higher = sooner event or surer diagnosis; group (high or low by the locked cut-off, missing
in rows of specimens).
"""

from pathlib import Path

import pandas as pd

from hepatica.cohort.atomic import replacing
from hepatica.cohort.endpoints import Target
from hepatica.cohort.errors import CohortError
from hepatica.cohort.units import Months

COLUMNS = {
    "patient_id": "string",
    "specimen_id": "string",
    "fold": "string",
    "endpoint": "string",
    "horizon_months": "Float64",
    "score": "float64",
    "group": "string",
}


def as_predictions(table: pd.DataFrame) -> pd.DataFrame:
    """The table with exactly the columns and types of a predictions table; CohortError when one is missing."""
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise CohortError(f"a predictions table lacks {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
    return table[list(COLUMNS)].astype(COLUMNS).reset_index(drop=True)


def write_predictions(table: pd.DataFrame, *, path: Path) -> None:
    """Write parquet, or CSV when the name ends so."""
    with replacing(path) as temporary:
        if path.suffix == ".csv":
            as_predictions(table).to_csv(temporary, index=False)
        else:
            as_predictions(table).to_parquet(temporary, index=False)


def read_predictions(path: Path) -> pd.DataFrame:
    """Read what `write_predictions` wrote, to the last digit; CohortError when the file is something else."""
    try:
        if path.suffix == ".csv":
            return as_predictions(pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""]))
        return as_predictions(pd.read_parquet(path))
    except ValueError as error:
        raise CohortError(f"{path.name} is not a predictions table: {error}") from error


def mean_by_patient(specimens: pd.DataFrame) -> pd.DataFrame:
    """One row a patient and target, his score the mean over his specimens."""
    keys = ["patient_id", "endpoint", "horizon_months"]
    return specimens.groupby(keys, sort=False, dropna=False, as_index=False)[["score"]].mean()


def targets(table: pd.DataFrame) -> list[Target]:
    """What the table predicts, in the order of first appearance."""
    pairs = table[["endpoint", "horizon_months"]].drop_duplicates()
    return [
        Target(endpoint=str(endpoint), horizon=None if pd.isna(horizon) else Months(float(horizon)))
        for endpoint, horizon in pairs.itertuples(index=False)
    ]


def is_about(table: pd.DataFrame, *, target: Target) -> "pd.Series[bool]":
    """Whether each row predicts the target."""
    horizon = table["horizon_months"]
    same = horizon.isna() if target.horizon is None else (horizon == target.horizon).fillna(False)
    return (table["endpoint"] == target.endpoint) & same.astype(bool)


def patient_scores(table: pd.DataFrame, *, target: Target, fold: str | None = None) -> pd.DataFrame:
    """Score, group and fold of each patient for one target, indexed by patient_id."""
    rows = table[table["specimen_id"].isna() & is_about(table, target=target)]
    rows = rows if fold is None else rows[rows["fold"] == fold]
    return rows.set_index("patient_id")[["score", "group", "fold"]]
