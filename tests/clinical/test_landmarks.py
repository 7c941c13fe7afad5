"""Landmarks: who is a case, who a control, and with what weight, by hand."""

import numpy as np
import pytest
import torch

from hepatica.clinical.landmarks import LandmarkPlan, at_risk, outcomes_after, weighted_loss
from hepatica.cohort import Months, load_cohort
from hepatica.cohort.phantom import phantom_tables

# Five patients: HCC at 30; HCC at 50; censored at 40; dead at 20; followed to 60.
TIME, EVENT = [30, 50, 40, 20, 60], [1, 1, 0, 2, 0]


def test_followed_samples_alone_are_controls() -> None:
    at_0 = outcomes_after(np.zeros(5), time=TIME, event=EVENT, window=36)
    assert at_0["label"].tolist() == [1, 0, 0, 0, 0]
    assert at_0["weight"].tolist() == [1, 1, 1, 0, 1]  # the dead patient was not followed for 36 months
    at_24 = outcomes_after(np.full(5, 24), time=TIME, event=EVENT, window=36)
    assert at_24["label"].tolist() == [1, 1, 0, 0, 0]
    assert at_24["weight"].tolist() == [1, 1, 0, 0, 1]  # censored at 40 < 60; dead before 24
    at_30 = outcomes_after(np.full(5, 30), time=TIME, event=EVENT, window=20)
    assert at_30["label"].tolist() == [1, 1, 0, 0, 0]  # the window is closed: 50 is in (30, 50]
    assert at_30["weight"].tolist() == [0, 1, 0, 0, 1]  # HCC at 30 is no sample at 30


def test_weights_stand_for_the_censored_and_death_is_free_of_the_event() -> None:
    # Censored at 40 of two who are followed then (40 and 50; 60 is a third): G falls at 40 by 1/3, at 60 to 0.
    like = (TIME, EVENT)
    at_0 = outcomes_after(np.zeros(5), time=TIME, event=EVENT, window=36, like=like)
    assert at_0["label"].tolist() == [1, 0, 0, 0, 0]
    assert at_0["weight"].tolist() == [1, 1, 1, 1, 1]  # nobody is censored by 36
    at_24 = outcomes_after(np.full(5, 24), time=TIME, event=EVENT, window=36, like=like)
    # G(24) = 1; G(30-) = 1, G(50-) = G(60-) = 2/3.
    assert at_24["weight"].to_numpy() == pytest.approx([1, 1.5, 0, 0, 1.5])
    at_10 = outcomes_after([10, 45], time=[20, 60], event=[2, 0], window=15, like=like)
    assert at_10["weight"].to_numpy() == pytest.approx([1, 1])  # G(45) = G(60-) = 2/3: the ratio counts
    assert at_10["label"].tolist() == [0, 0]


def test_the_loss_is_a_weighted_mean() -> None:
    logits = torch.tensor([[0.0], [2.0], [5.0]])
    labels = torch.tensor([[1.0, 1.0], [0.0, 3.0], [0.0, 0.0]])
    wanted = (np.log(2) + 3 * np.log1p(np.exp(2))) / 4
    assert weighted_loss(logits, labels).item() == pytest.approx(wanted, rel=1e-6)


def test_the_loss_of_several_horizons_is_over_all_of_them() -> None:
    logits = torch.tensor([[0.0, 2.0], [2.0, 0.0]])
    labels = torch.tensor([[1.0, 0.0, 1.0, 3.0], [0.0, 0.0, 0.0, 0.0]])
    wanted = (np.log(2) + 3 * np.log1p(np.exp(2))) / 4
    assert weighted_loss(logits, labels).item() == pytest.approx(wanted, rel=1e-6)


def test_at_risk_are_those_followed_beyond_the_landmark(tmp_path) -> None:
    cohort = load_cohort(phantom_tables(tmp_path / "p", patients=40, seed=1))
    settings = LandmarkPlan(epochs=1, batch=1, learning_rate=1, landmark=Months(40))
    found = at_risk(cohort, settings)
    assert set(found) == set(cohort.patients.index[cohort.patients["incidence_months"] > 40])
    assert 0 < len(found) < 40
    assert settings.horizon == 76
