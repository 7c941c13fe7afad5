"""Missing: counts by hand."""

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate import missing_patterns, missing_shares

TABLE = pd.DataFrame({"afp": [1.0, np.nan, np.nan, 4.0], "inr": [1.0, np.nan, 1.2, 1.1], "sex": ["m", None, "f", "m"]})


def test_shares_by_column_and_group() -> None:
    found = missing_shares(TABLE, group=pd.Series([0, 0, 1, 1])).set_index(["column", "group"])
    assert found["missing"].to_dict() == {
        ("afp", 0): 1, ("afp", 1): 1, ("inr", 0): 1, ("inr", 1): 0, ("sex", 0): 1, ("sex", 1): 0,
    }  # fmt: skip
    assert found.loc[("afp", 0), "share"] == 0.5
    assert found.loc[("inr", 1), "high"] == pytest.approx(1 - 0.025**0.5)  # none of 2


def test_without_groups_all_are_one() -> None:
    found = missing_shares(TABLE)
    assert found["group"].unique().tolist() == ["all"]
    assert found["missing"].tolist() == [2, 1, 1]
    with pytest.raises(EvaluationError, match="a name for each of 4 rows"):
        missing_shares(TABLE, group=pd.Series(["a", None, "a", "b"]))


def test_patterns_are_counted_the_commonest_first() -> None:
    found = missing_patterns(TABLE)
    assert found["patients"].tolist() == [2, 1, 1]
    assert found.loc[0, ["afp", "inr", "sex"]].tolist() == [False, False, False]
