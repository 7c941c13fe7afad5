"""Folder: a folder belongs to one recipe, and says so before it is complete."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hepatica.cohort import CohortError, SettingsError
from hepatica.cohort.atomic import read_json, write_table
from hepatica.cohort.phantom import SUSPECTED
from hepatica.cohort.phantom.folder import TRUTH, Recipe, claim


@dataclass(frozen=True, kw_only=True)
class Settings:
    shares: tuple[float, ...] = (0.5, 0.5)


RECIPE = Recipe(
    patients=2, seed=1, difficulty=0.5, hospital="A", population=SUSPECTED, endpoints="usual",
    settings={"files": Settings()},
)  # fmt: skip


def test_a_folder_is_claimed_once_and_known_again(tmp_path: Path) -> None:
    claim(tmp_path / "new", RECIPE)
    assert read_json(tmp_path / "new" / TRUTH)["settings"]["files"] == {"shares": [0.5, 0.5]}
    claim(tmp_path / "new", RECIPE)  # as it says itself, though its tuple became a list


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 2}, "seed"),
        ({"settings": {"files": Settings(shares=(1.0,))}}, "settings"),
        ({"version": "0"}, "version"),
        ({"endpoints": "all"}, "endpoints"),
    ],
)
def test_another_recipe_is_refused(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    claim(tmp_path, RECIPE)
    with pytest.raises(CohortError, match=f"made with another {named};"):
        claim(tmp_path, replace(RECIPE, **change))


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".hidden").touch()
    claim(tmp_path, RECIPE)  # hidden files are nobody's
    (tmp_path / TRUTH).unlink()
    (tmp_path / "patients.csv").touch()
    with pytest.raises(CohortError, match="not empty and holds no phantom"):
        claim(tmp_path, RECIPE)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"patients": 0}, "1 or more"),
        ({"difficulty": -0.1}, "0 \\(easy\\)"),
        ({"hospital": "C"}, "one of A, B"),
        ({"population": replace(SUSPECTED, hcc_share=1.1)}, "share of 1.1"),
    ],
)
def test_numbers_out_of_range_are_refused(change: dict[str, Any], told: str) -> None:
    RECIPE.check(hospitals=("A", "B"))
    with pytest.raises(SettingsError, match=told):
        replace(RECIPE, **change).check(hospitals=("A", "B"))


def test_a_table_is_the_same_bytes_everywhere(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", pd.DataFrame({"a": [1], "b": ["x"]}))
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\n1,x\n"
