"""Result: an impossible one is refused."""

from dataclasses import replace

import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.results.result import Finding, Findings, Result

BRIEF = ModelIdentity(system="HCCNet", version="1", digest="ab" * 32, doi="10.1038/s41416-021-01511-w", note="")
GIVEN = Result(
    risk_score=0.2, low=0.1, high=0.3, level=0.95, variant="weighted_mean", cutoff=0.2, is_hcc=True, images=9,
    model=BRIEF,
)  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"risk_score": float("nan")}, "risk_score nan"),
        ({"cutoff": float("inf")}, "cutoff inf"),
        ({"low": -0.1}, "low -0.1"),
        ({"low": 0.4}, "0.4 to 0.3"),
        ({"level": 95}, "level 95"),
        ({"images": 0}, "0 images"),
        ({"is_hcc": False}, "reaches the cut-off"),
        ({"risk_score": 0.19}, "reaches the cut-off"),
        ({"model": replace(BRIEF, digest=" ")}, "digest ' '"),
        ({"model": replace(BRIEF, system="x" * 65)}, "1 to 64 characters"),
    ],
)
def test_impossible_results_are_refused(wrong, message):
    with pytest.raises(EvaluationError, match=message):
        replace(GIVEN, **wrong)


def test_a_model_needs_no_note_and_may_use_every_character():
    assert replace(GIVEN, model=replace(BRIEF, system="x" * 64)).model.note == ""


@pytest.mark.parametrize("wrong", [{"values": {}}, {"values": {"risk": float("nan")}}, {"diameter_mm": float("inf")}])
def test_a_finding_without_a_finite_value_is_refused(wrong):
    with pytest.raises(EvaluationError, match="of a finding"):
        Finding(**{"name": "1", "values": {"risk": 1.0}} | wrong)


def test_findings_need_one():
    with pytest.raises(EvaluationError, match="without findings"):
        Findings(findings=(), model=BRIEF)
