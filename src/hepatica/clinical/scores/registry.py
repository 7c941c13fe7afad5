"""Registry: every score by its name, and their columns for a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from hepatica.clinical.inputs import Inputs, Units
from hepatica.clinical.score import Score, read_scores
from hepatica.cohort.errors import CohortError, SettingsError
from hepatica.cohort.faults import did_you_mean, listed

_TOPICS = (
    *("scores/hcc_risk", "scores/liver_function", "scores/fibrosis", "scores/tumour_markers", "scores/transplant"),
    *("scores/treatment", "staging/bclc", "staging/cnlc", "staging/ajcc", "staging/li_rads", "staging/mrecist"),
)
_CLINICAL = Path(__file__).parents[1]

SCORES: Mapping[str, Score] = {
    each.name: each for topic in _TOPICS for each in read_scores(_CLINICAL / f"{topic}.toml")
}
"""Every score and stage by its name."""


def score(name: str, table: pd.DataFrame, *, units: Units | None = None) -> pd.DataFrame:
    """The columns of one score for a table of one row a patient, in the order and with the index of the table.

    `table` has the columns of `SCORES[name].inputs`, named after quantity and unit (of any unit of that quantity), or
    `units` says which column has which quantity and unit. A row with a missing input gets NaN. CohortError for a column
    that is absent, has no unit or has impossible values, each named with its row; SettingsError for an unknown score,
    quantity or unit.
    """
    return add_scores(table, names=[name], units=units)


def add_scores(
    table: pd.DataFrame, *, names: Sequence[str] | None = None, units: Units | None = None, name: str = "the table"
) -> pd.DataFrame:
    """The columns of several scores, or of all whose inputs the table has, as `score` gives them.

    `name` is that of the table in messages.
    """
    inputs = Inputs(table, units=units, name=name)
    chosen = [find_score(each) for each in names] if names is not None else _evaluable(inputs)
    absent = {column: each.name for each in chosen for column in each.inputs if column not in inputs}
    if absent:
        wanted = listed(f"{column} ({owner})" for column, owner in absent.items())
        raise CohortError(f"{name} lacks {wanted}; name its columns so, or declare them by quantity in units.toml")
    columns = {column: each for chosen_one in chosen for column, each in chosen_one.columns(inputs).items()}
    inputs.faults.raise_if_any(name)
    return pd.DataFrame(columns, index=table.index)


def _evaluable(inputs: Inputs) -> list[Score]:
    """The scores all of whose inputs are there; CohortError where that is none, or a column has no unit."""
    inputs.refuse_undeclared()
    found = [each for each in SCORES.values() if all(column in inputs for column in each.inputs)]
    if not found:
        raise CohortError(
            f"{inputs.name} has the inputs of no score; name its columns after quantity and unit, such as albumin_g_l,"
            " or declare them in units.toml; hepatica scores lists what each score reads"
        )
    return found


def find_score(name: str) -> Score:
    """The score of that name; SettingsError, with what is near, where there is none."""
    if name not in SCORES:
        raise SettingsError(f"got the score {name!r}; {did_you_mean(name, SCORES, known='the scores are')}")
    return SCORES[name]
