"""Explain: specimens of different patients from both ends of what is asked first."""

import pandas as pd

from hepatica.cohort.predictions import as_predictions
from hepatica.runs.explain import extremes


def test_one_specimen_a_patient_is_chosen_by_the_last_class_of_the_first_target() -> None:
    scores = {"a1": 0.1, "a2": 0.9, "b1": 0.8, "c1": 0.3, "d1": 0.2}
    rows = [
        {"patient_id": name[0], "specimen_id": name, "fold": "train" if name == "d1" else "test", "endpoint": endpoint,
         "horizon_months": None, "class_or_quantity": grade, "score": score if grade == "poor" else 1 - score}
        for endpoint in ("grade", "other") for grade in ("well", "poor") for name, score in scores.items()
    ]  # fmt: skip
    rows.append(rows[5] | {"specimen_id": "b1", "lesion_id": "1", "score": 1.0})
    table = as_predictions(pd.DataFrame(rows).assign(group=None))
    table.loc[table["endpoint"] == "other", "score"] = 1.0
    found = extremes(table, 2)
    assert found["score"].to_dict() == {"a2": 0.9, "c1": 0.3}
    assert set(found["class_or_quantity"]) == {"poor"}
