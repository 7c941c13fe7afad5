from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import Target, write_predictions
from hepatica.report.chapters.follow_up.ablation import ABLATIONS, section

TARGET = Target(endpoint="recurrence", task="survival")
RNG = np.random.default_rng(0)
RISK = RNG.normal(size=80)
OUTCOMES = pd.DataFrame(
    {"score": RISK + RNG.normal(0, 1.5, 80), "time": np.exp(-RISK), "event": 1}, index=[f"p{n}" for n in range(80)]
)


def predictions(score: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {"patient_id": OUTCOMES.index, "specimen_id": pd.NA, "fold": "test", "task": "survival", "score": score}
    ).assign(endpoint="recurrence", horizon_months=np.nan, group="low")


@pytest.fixture
def run(tmp_path: Path) -> Any:
    results = SimpleNamespace(folder=tmp_path, title="Internal test: x", fold="test", outcomes=lambda target: OUTCOMES)
    return SimpleNamespace(internal=results, cohorts=[results], targets=[TARGET])


def test_a_better_variant_is_ahead_and_the_same_one_is_not(run: Any, tmp_path: Path) -> None:
    for name, score in {"perfect": RISK, "same": OUTCOMES["score"].to_numpy()}.items():
        write_predictions(predictions(score), path=tmp_path / ABLATIONS / name / "predictions.parquet")
    table = section(run, None).blocks[1]  # type: ignore[union-attr, arg-type]
    own, perfect, same = table.rows
    assert perfect[1].startswith("1.000")
    assert float(perfect[2].split(" ")[0]) == pytest.approx(1 - float(own[1].split(" ")[0]), abs=2e-3)
    assert perfect[3] == "< 0.001"
    assert (same[1], same[2][:6], same[3]) == (own[1], "+0.000", "1.00")


def test_without_variants_a_sentence_says_so(run: Any) -> None:
    assert section(run, None) == "No variant was trained."  # type: ignore[arg-type]
