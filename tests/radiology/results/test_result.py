"""Result: what no report may say."""

from dataclasses import replace

import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.results.result import Result

MODEL = ModelIdentity(system="HCCNet", version="1", digest="ab" * 32, doi="10.1038/s41416-021-01511-w", note="")
RESULT = Result(
    risk_score=0.2, low=0.1, high=0.3, level=0.95, variant="weighted_mean", cutoff=0.2, is_hcc=True, images=9,
    model=MODEL,
)  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"risk_score": float("nan")}, "risk_score nan"),
        ({"cutoff": float("inf")}, "cutoff inf"),
        ({"low": -0.1}, "low -0.1"),
        ({"low": 0.4}, "0.4 to 0.3"),
        ({"level": 95}, "level 95"),
        ({"images": 0}, "0 images"),
        ({"is_hcc": False}, "reaches the cut-off"),
        ({"risk_score": 0.19}, "reaches the cut-off"),
        ({"model": replace(MODEL, digest=" ")}, "digest ' '"),
        ({"model": replace(MODEL, system="x" * 65)}, "1 to 64 characters"),
    ],
)
def test_impossible_results_are_refused(wrong, told):
    with pytest.raises(EvaluationError, match=told):
        replace(RESULT, **wrong)


def test_a_model_needs_no_note_and_may_use_every_character():
    assert replace(RESULT, model=replace(MODEL, system="x" * 64)).model.note == ""
