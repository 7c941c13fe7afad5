"""Ioannou 2020: size of the network, and the regressions beside it, by hand and against scikit-learn."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from hepatica.cohort import Cohort, load_cohort, read_predictions
from hepatica.runs import open_run, train
from hepatica.systems.ioannou_2020 import SYSTEM, Settings, build, comparators

NAN = float("nan")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cohort]:
    folder = tmp_path_factory.mktemp("ioannou")
    cohort = SYSTEM.phantom(folder / "cohort", patients=150, seed=5, difficulty=0.0)
    train(SYSTEM, cohort, run=folder / "run", settings=SYSTEM.shortest_quick)
    return folder / "run", load_cohort(cohort)


def test_size() -> None:
    # The recurrent network (tests/networks/test_recurrent.py) and two regressions: 12 + 6 + 1 and 5 x 12 + 6 + 1.
    assert sum(each.numel() for each in build(Settings(), pretrained=False).parameters()) == 26_369 + 19 + 67


def test_summaries_are_of_the_course() -> None:
    settings = Settings(columns=("afp_ng_ml",), baseline=("age_years",))
    network = build(settings, pretrained=False)
    e = np.e - 1  # whose logarithm of 1 + x is 1
    visits = torch.tensor([[[0, e, 60], [12, NAN, 60], [24, 0, 60], [NAN] * 3], [[6, NAN, 60]] + [[NAN] * 3] * 3])
    found = network.summaries(visits.float())
    # Age 60, not missing; last 0, mean 2/3, lowest 0, highest 1, change -1 in two years; not measured: the mean, 0.
    np.testing.assert_allclose(found, [[60, 0, 0, 2 / 3, 0, 1, -0.5], [60, 0, 0, 0, 0, 0, 0]], atol=1e-6)


def test_regressions_are_locked_with_the_network_and_find_the_planted_course(trained: tuple[Path, Cohort]) -> None:
    run, cohort = trained
    locked = open_run(run)
    material = SYSTEM.prepare(cohort, locked.settings, run)
    found = comparators(locked.network, material, cohort)
    pd.testing.assert_frame_equal(found, pd.read_parquet(run / "comparators.parquet"))
    label = cohort.label(SYSTEM.targets(locked.settings)[0]).reindex(found.index)
    known = label.notna() & (cohort.patients["incidence_months"].reindex(found.index) > locked.settings.landmark)
    score = found["logistic_longitudinal"]
    assert np.median(score[known & (label == 1)]) > np.median(score[known & (label == 0)]) + 0.5


def test_patients_with_virologic_response_are_judged_apart(trained: tuple[Path, Cohort]) -> None:
    run, cohort = trained
    apart = pd.read_parquet(run / "comparators.parquet")["network_after_virologic_response"].dropna()
    table = read_predictions(run / "predictions.parquet").query("specimen_id.isna()").set_index("patient_id")
    predicted = table["score"].dropna()
    responded = cohort.table("visits").query("months <= 24 and svr == 1")["patient_id"]
    assert set(apart.index) == set(responded) & set(predicted.index)
    np.testing.assert_allclose(1 / (1 + np.exp(-apart)), predicted[apart.index], rtol=1e-5)


def test_a_shorter_history_may_be_read_from_a_locked_model() -> None:
    assert "history" in SYSTEM.adjustable
