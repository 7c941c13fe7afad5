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
    assert list(found) == ["c_index", "log_rank_p", "hazard_ratio", "hazard_ratio_p"]
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
