from typing import Any

import pytest

from hepatica.cohort.errors import SettingsError
from hepatica.learn import Plan


def test_a_plan_of_three_numbers_is_enough() -> None:
    plan = Plan(epochs=1, batch=1, learning_rate=0.1)
    assert plan.patience is None
    assert plan.monitor == "train_loss"


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"betas": (0.9, 1.0)},
        {"lr_step_epochs": 0},
        {"lr_step_factor": 0.0},
        {"patience": 0},
        {"monitor": "test_loss"},
        {"seed": -1},
    ],
    ids=str,
)
def test_a_number_out_of_range_is_named(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(SettingsError, match=name):
        Plan(**{"epochs": 1, "batch": 1, "learning_rate": 0.1, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate_batch": 0},
        {"optimizer": "adagrad"},
        {"momentum": 1.0},
        {"weight_decay": -1e-4},
        {"schedule": "linear"},
        {"warmup_epochs": 1},
        {"mixup": float("inf")},
    ],
    ids=str,
)
def test_a_number_of_the_other_recipe_out_of_range_is_named(wrong: dict[str, Any]) -> None:
    test_a_number_out_of_range_is_named(wrong)


def test_the_rate_is_scaled_to_the_batch_where_its_own_is_given() -> None:
    assert Plan(epochs=1, batch=64, learning_rate=0.2).rate == 0.2
    assert Plan(epochs=1, batch=64, learning_rate=0.2, learning_rate_batch=256).rate == pytest.approx(0.05)
