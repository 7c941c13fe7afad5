"""Explain: specimens of different patients from both ends of what is asked first."""

import shutil
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from hepatica.cohort.predictions import as_predictions
from hepatica.runs import explain
from hepatica.runs.engine import Engine, Shared
from hepatica.runs.explain import extremes
from hepatica.runs.jobs import Jobs


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


def test_specimens_drawn_by_jobs_are_those_of_the_call_alone(
    trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, by_jobs = (shutil.copytree(trained.run, tmp_path / name) for name in ("alone", "by_jobs"))
    wanted = explain(alone, trained.cohort, specimens=3)
    assert not (alone / "prepared" / "jobs.sqlite").exists()
    with pytest.raises(Shared):
        explain(by_jobs, trained.cohort, specimens=3, engine=Engine(share=True))
    module = import_module("hepatica.runs.explain")
    monkeypatch.setattr(module, "draw_specimens", lambda *_, **__: pytest.fail("drawn again"))
    drawn = explain(by_jobs, trained.cohort, specimens=3)
    assert [(each.kind, each.state) for each in Jobs(by_jobs / "prepared" / "jobs.sqlite").all()] == [
        ("explain", "done")
    ] * 3
    assert [each.relative_to(by_jobs) for each in drawn] == [each.relative_to(alone) for each in wanted]
    for name in {path.name for folder in (alone, by_jobs) for path in (folder / "explained").iterdir()}:
        assert (by_jobs / "explained" / name).read_bytes() == (alone / "explained" / name).read_bytes()
    assert not (by_jobs / "prepared" / "explained").exists()
