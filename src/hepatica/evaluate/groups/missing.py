"""Missing: how many patients lack which values, by column and group, and which are lacking together."""

import pandas as pd

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.intervals import clopper_pearson


def missing_shares(table: pd.DataFrame, *, group: pd.Series | None = None) -> pd.DataFrame:
    """One row a column of the table and group: column, group, n, missing, share, low, high (Clopper and Pearson, 95 %).

    `group` (n,) names the group of each row, such as its hospital or outcome: a share that differs between groups of
    the outcome shows that values are not missing completely at random. Without it there is one group, "all".
    """
    groups = pd.Series("all", index=table.index) if group is None else group.astype(object)
    if len(groups) != len(table) or groups.isna().any():
        raise EvaluationError(f"group: wanted a name for each of {len(table)} rows, none missing")
    rows = [
        (column, name, len(own), lost, lost / len(own), *clopper_pearson(lost, len(own)))
        for column in table
        for name, own in table[column].groupby(groups.to_numpy())
        for lost in [int(own.isna().sum())]
    ]
    return pd.DataFrame(rows, columns=["column", "group", "n", "missing", "share", "low", "high"])


def missing_patterns(table: pd.DataFrame) -> pd.DataFrame:
    """One row a pattern, the commonest first: a column of the table is True where the pattern lacks it; patients."""
    counts = table.isna().value_counts(sort=False).rename("patients").reset_index()
    return counts.sort_values("patients", ascending=False, kind="stable").reset_index(drop=True)
