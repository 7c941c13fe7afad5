import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from hepatica.cli.evaluate import app
from hepatica.cohort.errors import EvaluationError

KEYS = {"value", "low", "high", "n", "method"}
WANTED = ["auroc", "average_precision", "accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa", "brier"]


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """60 patients of two slides each, with an outcome, follow-up and scores that know something of it."""
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(60), 2)
    latent = rng.normal(size=60)[patient]
    event = (rng.random(60) < 1 / (1 + np.exp(-latent[::2])))[patient].astype(int)
    score = 1 / (1 + np.exp(-latent - rng.normal(size=120)))
    path = tmp_path / "scores.csv"
    months = rng.exponential(20 * np.exp(-latent)).round(2)
    pd.DataFrame({"patient": patient, "event": event, "months": months, "score": score}).to_csv(path, index=False)
    return path


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_binary_prints_one_json_object_and_nothing_else(scores: Path) -> None:
    found = json.loads(run("binary", scores, "--label", "event", "--score", "score", "--json"))
    assert list(found)[:10] == WANTED
    assert all(set(each) == KEYS for each in found.values())
    assert found["auroc"]["low"] < found["auroc"]["value"] < found["auroc"]["high"]
    assert found["auroc"]["n"] == 120


def test_binary_by_patient_counts_patients_and_is_wider(scores: Path) -> None:
    words = ("binary", scores, "--label", "event", "--score", "score", "--json")
    rows, patients = json.loads(run(*words))["auroc"], json.loads(run(*words, "--group", "patient"))["auroc"]
    assert patients["n"] == 60
    assert patients["value"] == rows["value"]
    assert patients["high"] - patients["low"] > rows["high"] - rows["low"]


def test_binary_at_a_cutoff_nobody_reaches_is_null_and_says_why(scores: Path) -> None:
    words = ("binary", scores, "--label", "event", "--score", "score", "--cutoff", "2", "--json")
    found = json.loads(run(*words))["ppv"]
    assert (found["value"], found["low"], found["high"]) == (None, None, None)
    assert found["method"] == "not computable: 0/0, no score reaches the cut-off"


def test_survival_prints_one_json_object_and_nothing_else(scores: Path) -> None:
    words = ("survival", scores, "--time", "months", "--event", "event", "--score", "score", "--json")
    found = json.loads(run(*words))
    assert list(found) == [
        "c_index", "log_rank_p", "hazard_ratio", "hazard_ratio_p", "proportional_hazards_p", "cutoff"
    ]  # fmt: skip
    assert all(set(each) == KEYS for each in found.values())
    assert found["c_index"]["value"] > 0.5
    assert found["log_rank_p"]["low"] is None
    assert "the median of these scores" in found["log_rank_p"]["method"]
    at = json.loads(run(*words, "--cutoff", "0.4"))
    assert "groups split at 0.4, as given" in at["log_rank_p"]["method"]


@pytest.mark.parametrize(
    ("words", "statistic"),
    [
        (["binary", "--label", "event", "--score", "score"], "specificity"),
        (["survival", "--time", "months", "--event", "event", "--score", "score"], "c_index"),
    ],
)
def test_without_json_a_table(scores: Path, words: list[str], statistic: str) -> None:
    assert statistic in run(words[0], scores, *words[1:])


def test_faults_are_a_hepatica_error(scores: Path) -> None:
    with pytest.raises(EvaluationError, match="has no column scor; did you mean score"):
        run("binary", scores, "--label", "event", "--score", "scor")


@pytest.mark.parametrize("command", ["binary", "survival"])
def test_help_says_what_the_columns_hold(command: str) -> None:
    shown = run(command, "--help")
    assert "Column" in shown
    assert "--json" in shown


@pytest.fixture
def followed(tmp_path: Path) -> Path:
    """80 patients, one row each, with a time, a code of the event (2: a competing one) and a probability."""
    rng = np.random.default_rng(1)
    risk = rng.uniform(0.05, 0.9, 80)
    months = rng.exponential(-24 / np.log1p(-risk)).clip(0, 60).round(1)
    code = np.where(months == 60, 0, rng.choice([0, 1, 1, 2], 80))
    path = tmp_path / "followed.csv"
    noise = rng.random(80)
    pd.DataFrame({"who": np.arange(80), "m": months, "e": code, "p": risk, "q": noise}).to_csv(path, index=False)
    return path


def test_survival_at_a_horizon_weighs_for_censoring(followed: Path) -> None:
    words = ("survival", followed, "--time", "m", "--event", "e", "--score", "p", "--horizon", "24", "--json")
    found = json.loads(run(*words))
    assert {"auroc", "brier", "observed_to_expected", "calibration_slope", "ppv"} < set(found)
    assert "weighted for censoring" in found["ppv"]["method"]
    assert found["cutoff"]["method"] == "the median of these scores"


def test_rows_of_a_patient_count_once(followed: Path, tmp_path: Path) -> None:
    table, copies = pd.read_csv(followed), tmp_path / "copies.csv"
    pd.concat([table] * 3).to_csv(copies, index=False)
    words = ("--time", "m", "--event", "e", "--score", "p", "--json")
    once = json.loads(run("survival", followed, *words))
    by_patient = json.loads(run("survival", copies, *words, "--group", "who"))
    assert by_patient["c_index"]["high"] == pytest.approx(once["c_index"]["high"])
    assert by_patient["hazard_ratio"]["n"] == 80
    warned = CliRunner().invoke(app, ["survival", str(copies), *words])
    assert "note: 160 of 240 rows repeat another in every column" in warned.stderr
    table.assign(who=0).to_csv(copies, index=False)
    with pytest.raises(EvaluationError, match="1 patients have rows of different time or event"):
        run("survival", copies, *words, "--group", "who")


@pytest.mark.parametrize("outcome", [["--label", "y"], ["--time", "m", "--event", "e", "--horizon", "24"]])
def test_two_scores_are_compared(followed: Path, outcome: list[str]) -> None:
    table = pd.read_csv(followed)
    table.assign(y=(table["e"] == 1).astype(int)).to_csv(followed, index=False)
    found = json.loads(run("compare", followed, "--score", "p", "--other", "q", *outcome, "--json"))
    assert {"auroc", "accuracy", "f1"} < set(found)
    assert found["auroc"]["low"] < found["auroc"]["value"] < found["auroc"]["high"]
    assert 0 <= found["auroc"]["p"] <= 1
    assert ("c_index" in found) == ("m" in outcome)
    words = ["compare", str(followed), "--score", "p", "--other", "q", *outcome, "--other-cutoff", "0.4"]
    assert "note: cut-offs: p 0.5, q 0.4" in CliRunner().invoke(app, words).stderr


def test_a_comparison_has_a_page_with_both_scores_and_their_curves(followed: Path, tmp_path: Path) -> None:
    outcome = ["--time", "m", "--event", "e", "--horizon", "24"]
    words = ["compare", followed, "--score", "p", "--other", "q", *outcome]
    found = json.loads(run(*words, "--out", tmp_path / "page", "--json"))
    own = json.loads(run("survival", followed, *outcome, "--score", "p", "--cutoff", "0.5", "--json"))
    rows = pd.read_csv(next((tmp_path / "page/tables").glob("*statistics*.csv")), header=0, index_col=0)
    assert rows.loc["AUROC", "p"].startswith(f"{own['auroc']['value']:.3f} (")
    assert rows.loc["AUROC", "Difference"].startswith(f"{found['auroc']['value']:.3f} (")
    assert list(rows.columns[:3]) == ["p", "q", "Difference"]
    drawn = {path.stem for path in (tmp_path / "page/figures").glob("*.png")}
    assert {"kaplan_meier_1", "kaplan_meier_2", "roc", "decision"} <= drawn


def test_a_score_that_is_no_share_is_cut_at_its_median(followed: Path) -> None:
    table = pd.read_csv(followed)
    table.assign(q=1000 * table["q"]).to_csv(followed, index=False)
    words = ["compare", str(followed), "--score", "p", "--other", "q", "--time", "m", "--event", "e", "--horizon", "24"]
    assert f"q {1000 * table['q'].median():.4g}" in CliRunner().invoke(app, words).stderr


def test_an_outcome_is_wanted_to_compare_by(followed: Path) -> None:
    result = CliRunner().invoke(app, ["compare", str(followed), "--score", "p", "--other", "q"])
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("words", "pictures"),
    [
        (["binary", "--label", "y", "--score", "p"], {"roc", "calibration", "decision"}),
        (["survival", "--time", "m", "--event", "e", "--score", "p"], {"kaplan_meier"}),
    ],
)
def test_a_page_with_curves(followed: Path, tmp_path: Path, words: list[str], pictures: set[str]) -> None:
    table = pd.read_csv(followed)
    table.assign(y=(table["e"] == 1).astype(int)).to_csv(followed, index=False)
    run(words[0], followed, *words[1:], "--out", tmp_path / "page")
    assert {each.stem for each in (tmp_path / "page" / "figures").glob("*.png")} == pictures
    page = (tmp_path / "page" / "report.html").read_text()
    assert "At or above the cut-off of" in page
    statistics = (tmp_path / "page" / "tables" / "statistics_1.csv").read_text()
    assert ("AUROC,0." in statistics) == (words[0] == "binary")
    assert ("C-index,0." in statistics) == (words[0] == "survival")
    assert ",nan," not in statistics


@pytest.mark.parametrize(
    ("words", "metric"),
    [
        (["binary", "--label", "event", "--group", "patient"], "sensitivity"),
        (["survival", "--time", "months", "--event", "event", "--group", "patient"], "c_index"),
    ],
)
def test_each_subgroup_is_compared_with_the_others(scores: Path, tmp_path: Path, words: list[str], metric: str) -> None:
    table = pd.read_csv(scores)
    table["months"] = table.groupby("patient")["months"].transform("first")
    table.assign(sex=np.where(table["patient"] % 3 == 0, "f", "m")).to_csv(scores, index=False)
    asked = [words[0], scores, *words[1:], "--score", "score", "--subgroup", "sex"]
    found = json.loads(run(*asked, "--json"))["subgroups"]
    assert set(found) == {"f", "m"}
    sides = found["f"][metric]
    assert sides["own"]["value"] - sides["others"]["value"] == pytest.approx(sides["difference"]["value"])
    assert found["m"][metric]["difference"]["low"] == pytest.approx(-sides["difference"]["high"])
    assert "all others" in run(*asked, *(["--out", tmp_path / "page"] if metric == "c_index" else []))
    if metric == "c_index":
        assert "Each subgroup against all other patients" in (tmp_path / "page" / "report.html").read_text()
    mixed = table.assign(sex=np.arange(len(table)) % 2)
    mixed.to_csv(scores, index=False)
    with pytest.raises(EvaluationError, match="60 patients have rows of several subgroups"):
        run(*asked)


def test_sample_size_of_a_model_to_be_developed_and_validated() -> None:
    words = ("sample-size", "--prevalence", 0.174, "--parameters", 24)
    found = json.loads(run(*words, "--r2", 0.288, "--json"))
    assert [row["patients"] for row in found["develop"]] == [623, 662, 221]
    assert "to develop the model: 662 patients, 116 with the event" in run(*words, "--r2", 0.288)
    assert set(json.loads(run(*words, "--auroc", 0.8, "--json"))) == {"validate", "develop"}
    of_cox = ("--rate", 0.065, "--follow-up", 2.07, "--horizon", 2, "--r2", 0.051, "--parameters", 30)
    assert json.loads(run("sample-size", *of_cox, "--json"))["develop"][0]["patients"] == 5143
    assert CliRunner().invoke(app, ["sample-size", "--prevalence", "0.1"]).exit_code == 2
