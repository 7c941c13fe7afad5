"""Vectors: every score meets every published result, a file that is wrong is reported and not met."""

import os
from pathlib import Path

import pytest

from hepatica.clinical.scores import SCORES
from hepatica.clinical.scores.vectors import STORED, Check, check, published_files
from hepatica.cohort import SettingsError


@pytest.fixture(scope="module")
def found() -> dict[str, Check]:
    return {each.score: each for each in check()}


@pytest.fixture(scope="module")
def published() -> dict[str, Check]:
    folder = Path(os.environ.get("HEPATICA_DATA", ""), "clinical", "score_vectors")
    if "HEPATICA_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("HEPATICA_DATA is not set: the published score vectors are not here")
    return {each.file: each for each in check(data=folder) if each.file != STORED}


@pytest.mark.parametrize("name", SCORES)
def test_each_score_meets_its_stored_vectors(found: dict[str, Check], name: str) -> None:
    assert found[name].missed == ()
    assert found[name].met == found[name].count > 0


@pytest.mark.parametrize("file", published_files())
def test_each_published_file_is_met_as_far_as_it_is_right(published: dict[str, Check], file: str) -> None:
    says, met = published_files()[file], published[Path(file).name]
    assert met.count == says["cases"]
    assert met.met == says.get("agree", says["cases"])
    assert met.passed


def test_the_wrong_meld_file_is_seven_of_eight_wrong(published: dict[str, Check]) -> None:
    meld = published["MELD_score.v1.yml"]
    assert (meld.met, meld.count) == (1, 8)
    assert "10 to 11 points above" in meld.wrong
    assert any("meld got 16.6774, wanted 27" in each for each in meld.missed)


def test_each_input_of_a_point_table_is_varied() -> None:
    from hepatica.clinical.scores.vectors import _toml

    tables = _toml(STORED)
    for score in SCORES.values():
        for column, table in score.points.items():
            rows = tables[score.name]["table"][column]
            steps = len(table) if isinstance(table, list) else len(table) - 1
            assert len({result for _, result in rows}) >= min(steps, len({str(each) for each in _worth(table)})) - 1


def _worth(table: object) -> list[object]:
    return list(table.values()) if isinstance(table, dict) else [table[0], *(each for _, each in table[1:])]  # type: ignore[index]


def test_a_published_file_without_result_is_one_that_must_be_refused(tmp_path: Path) -> None:
    name = "Fibrosis-4_FIB-4_Index_for_Liver_Fibrosis_guideline.v1.yml"
    case = """test_cases:
- id: {id}
  input:
    1:
      gt0003|Age: 50,a
      gt0005|Platelet count: {platelets},10*9/l
      gt0007|ALT: 25,U/l
      gt0009|AST: 40,U/l
  expected_output:
    1:
      gt0025|Warning: Too high
"""
    (tmp_path / name).write_text(case.format(id="refused", platelets=5000))
    (each,) = [each for each in check(["fib_4"], data=tmp_path) if each.file != STORED]
    assert (each.met, each.count) == (1, 1)
    (tmp_path / name).write_text(case.format(id="not refused", platelets=100))
    (each,) = [each for each in check(["fib_4"], data=tmp_path) if each.file != STORED]
    assert each.met == 0
    assert "wanted a refusal" in each.missed[0]
    assert not each.passed


def test_a_folder_without_test_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="wanted one with published test cases"):
        check(data=tmp_path)
