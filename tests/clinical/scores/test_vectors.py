"""Vectors: every score meets every published result, a file that is wrong is reported and not met."""

import os
from pathlib import Path

import pandas as pd
import pytest

from hepatica.clinical.score import Score
from hepatica.clinical.scores import SCORES, score
from hepatica.clinical.scores.vectors import STORED, Check, _stored, _toml, check, published_files


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


@pytest.mark.parametrize("name", SCORES)
def test_no_score_without_one_of_its_inputs(name: str) -> None:
    inputs = next(each.inputs for each in _stored()[name] if "missing" not in each.results.values())
    for column in inputs:
        table = pd.DataFrame([inputs]).astype({column: object})
        table.loc[0, column] = None
        found = score(name, table)
        assert found.drop(columns=name).isna().all(axis=None)
        assert pd.isna(found.loc[0, name]), column


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


@pytest.mark.parametrize("each", [each for each in SCORES.values() if each.points], ids=lambda each: each.name)
def test_every_branch_of_a_point_table_has_a_vector(each: Score) -> None:
    table = _toml(STORED)[each.name]["table"]
    for column, steps in each.points.items():
        worth = list(steps.values()) if isinstance(steps, dict) else [steps[0], *(given for _, given in steps[1:])]
        results = {str(result) for _, result in table[column]} | {str(table["result"])}
        assert len(results - {"missing"}) == len({given for given in worth if given == given}), column


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
