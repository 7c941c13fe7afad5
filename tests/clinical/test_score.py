"""Score: a record that names what is not known is refused when it is read."""

from pathlib import Path

import numpy as np
import pytest

from hepatica.clinical.score import read_scores

RECORD = """
[mine]
title = "Mine"
scope = "all"
paper = "None"
doi = "10.1/x"
evidence = "unconfirmed: an example"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(RECORD + text, encoding="utf-8")
    return path


def test_limits_belong_to_their_step_unless_above(tmp_path: Path) -> None:
    (mine,) = read_scores(write(tmp_path, 'points.age_years = [0, [40, 1], [">60", 2]]\nbands = ["a", [2, "b"]]'))
    assert mine.inputs == ("age_years",)
    ages = np.array([39, 40, 60, 60.5, np.nan])
    found = mine.columns({"age_years": ages})
    np.testing.assert_array_equal(found["mine"], [0, 1, 1, 2, np.nan])
    assert list(found["mine_band"]) == ["a", "a", "a", "b", np.nan]


def test_what_is_not_finite_or_not_defined_is_missing(tmp_path: Path) -> None:
    (mine,) = read_scores(write(tmp_path, 'formula = "log10(afp_ng_ml)"\ndefined = "afp_ng_ml < 100"'))
    np.testing.assert_array_equal(mine.values({"afp_ng_ml": np.array([10.0, 0, 100])}), [1, np.nan, np.nan])


@pytest.mark.parametrize(
    "text", ['formula = "age_yaers"', 'formula = "age_years + __import__"', 'formula = "1"', 'defined = "agee > 1"']
)
def test_an_expression_with_an_unknown_name_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"mine.toml \[mine\] names"):
        list(read_scores(write(tmp_path, text)))
