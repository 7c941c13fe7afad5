"""Table file: scores of a CSV file of patients, written beside its own columns."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.clinical.inputs import Units
from hepatica.clinical.scores.registry import add_scores
from hepatica.cohort.atomic import replacing
from hepatica.cohort.columns import without_codes
from hepatica.cohort.delimited import read_table
from hepatica.cohort.errors import CohortError, SettingsError
from hepatica.cohort.faults import Faults, listed


def read_units(path: Path) -> tuple[dict[str, Any], list[float | str] | None]:
    """The declarations of a units file by quantity, and its codes of missing values (None where it has none).

    SettingsError where it is not TOML.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} is not readable TOML: {error}") from error
    return found, found.pop("missing", None)


def score_file(
    path: Path,
    *,
    out: Path,
    names: Sequence[str] | None = None,
    units: Units | None = None,
    missing: Sequence[float | str] | None = None,
) -> pd.DataFrame:
    """Write the table with the columns of the scores to `out`, and give these; see `add_scores`.

    CSV with commas, semicolons or tabs, rows named as a spreadsheet counts them; `missing`: codes of missing values.
    CohortError for a table with faults, and for one that has a column of that name already.
    """
    faults = Faults()
    table = read_table(path, faults, wanted=[], unique=[])
    if table is not None:
        table = without_codes(table, missing, faults, file=path.name, kept=[])
    faults.raise_if_any(path)
    assert table is not None
    found = add_scores(table, names=names, units=units, name=path.name)
    if twice := [str(name) for name in found if name in table]:
        raise CohortError(f"{path.name} has {listed(twice)} already, wanted other names; rename them, or use --only")
    with replacing(out) as temporary:
        pd.concat([table, found], axis=1).to_csv(temporary, index=False)
    return found
