"""Verdicts: a score comes with group, cut-off and its place among others; none where the model should not answer."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort.predictions import as_predictions
from hepatica.serve.pages.verdicts import drawn, patients


def rows(**changes: Any) -> pd.DataFrame:
    """Predictions of one patient of one specimen."""
    row = {
        "patient_id": "p", "specimen_id": None, "fold": "predicted", "endpoint": "hcc", "horizon_months": 0.0,
        "score": 0.7, "group": "high", "applicability": "in_domain", "reason": None,
    }  # fmt: skip
    return as_predictions(pd.DataFrame([row | changes, row | {"specimen_id": "s", "group": None} | changes]))


def known(scores: list[float], *, fold: str = "train", cohort: str = "A") -> pd.DataFrame:
    base = {"specimen_id": None, "fold": fold, "endpoint": "hcc", "horizon_months": 0.0, "group": "low"}
    table = [base | {"patient_id": f"k{n}", "score": score} for n, score in enumerate(scores)]
    return as_predictions(pd.DataFrame(table)).assign(cohort=cohort)


NOTHING = pd.DataFrame(columns=["cohort"])
SPECIMENS = pd.DataFrame([{"patient_id": "p", "row": 1}])


MODEL: Any = SimpleNamespace(cutoffs={"hcc": 0.5}, unit=lambda target, of: "mL" if of else "")


def test_a_score_lies_among_training_and_validation_patients() -> None:
    others = pd.concat([known([0.1, 0.2, 0.7, 0.9]), known([0.2, 0.3], fold="external", cohort="B")])
    (patient,) = patients(rows(), specimens=SPECIMENS, model=MODEL, known=others)
    (verdict,) = patient.verdicts
    assert (verdict.heading, verdict.group, verdict.cutoff) == ("HCC", "high", 0.5)
    assert [(each.name, each.below) for each in verdict.spreads] == [("training, A", 0.5), ("validation, B", 1.0)]
    picture = drawn(verdict)
    assert picture["rows"][0]["dots"] == sorted(picture["rows"][0]["dots"])
    assert (picture["low"], picture["high"]) == ("0.1", "0.9")
    assert picture["here"] == pytest.approx(5 + 330 * 0.6 / 0.8, abs=0.1)


@pytest.mark.parametrize("applicability", ["unusual", "not_assessable"])
def test_no_score_is_shown_where_the_model_should_not_answer(applicability: str) -> None:
    score = 0.99 if applicability == "unusual" else np.nan
    table = rows(applicability=applicability, score=score, reason="it is skin")
    (patient,) = patients(table, specimens=SPECIMENS, model=MODEL, known=known([0.5]))
    assert (patient.verdicts, patient.applicability, patient.reason) == ((), applicability, "it is skin")


def test_a_quantity_has_its_unit() -> None:
    table = rows(task="segmentation", endpoint="outlines", class_or_quantity="lesions", score=31.0)
    (verdict,) = patients(table, specimens=SPECIMENS, model=MODEL, known=NOTHING)[0].verdicts
    assert (verdict.of, verdict.score, verdict.unit) == ("lesions", 31.0, "mL")


def test_an_interval_is_only_what_the_system_says() -> None:
    said = pd.DataFrame([{"patient_id": "p", "risk": 1.2, "low": 1.0, "high": 1.5, "images": 9}])
    with_one = patients(rows(), specimens=said, model=MODEL, known=NOTHING)[0]
    without = patients(rows(), specimens=SPECIMENS, model=MODEL, known=NOTHING)[0]
    assert with_one.interval == "risk score 1.20, 95% interval 1.00 to 1.50 over 9 images"
    assert without.interval == ""


def test_who_was_seen_in_training_is_marked() -> None:
    assert patients(rows(seen_in_training=True), specimens=SPECIMENS, model=MODEL, known=NOTHING)[0].seen


def test_thousands_of_patients_are_drawn_as_some() -> None:
    others = known(list(np.linspace(0, 1, 5000)))
    (patient,) = patients(rows(), specimens=SPECIMENS, model=MODEL, known=others)
    picture = drawn(patient.verdicts[0])
    assert (len(picture["rows"][0]["dots"]), picture["rows"][0]["n"]) == (200, 5000)
