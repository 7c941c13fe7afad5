import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import SettingsError
from hepatica.learn import Epoch, History, Plan
from hepatica.learn.plan import seed_from, share_of_rate


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


numbers = st.integers(0, 2**20)


@settings(deadline=None, max_examples=50)
@given(numbers, numbers, st.integers(0, 64))
def test_the_same_three_numbers_give_the_same_seed_and_others_another(seed: int, epoch: int, rank: int) -> None:
    one = seed_from(seed, epoch=epoch, rank=rank)
    assert one == seed_from(seed, epoch=epoch, rank=rank)
    assert 0 <= one < 2**64
    others = {seed_from(seed + 1, epoch=epoch, rank=rank), seed_from(seed, epoch=epoch + 1, rank=rank)}
    others |= {seed_from(seed, epoch=epoch, rank=rank + 1), seed_from(seed, epoch=epoch, rank=rank, step=1)}
    assert one not in others
    # Not the sum of the two, which would give neighbouring seeds the same epochs, one later.
    assert seed_from(seed + 1, epoch=epoch) != seed_from(seed, epoch=epoch + 1)


def shares(**plan: Any) -> list[float]:
    made = Plan(**{"batch": 1, "learning_rate": 1.0, **plan})
    return [share_of_rate(made, epoch=epoch) for epoch in range(made.epochs)]


def test_cosine_after_warm_up_by_hand() -> None:
    # W = 2 and E = 6: thirds, then (1 + cos(0, 45, 90, 135 degrees)) / 2.
    half = math.sqrt(0.5)
    found = shares(epochs=6, schedule="cosine", warmup_epochs=2)
    assert found == pytest.approx([1 / 3, 2 / 3, 1, (1 + half) / 2, 0.5, (1 - half) / 2])


def test_steps_start_after_warm_up() -> None:
    found = shares(epochs=7, lr_step_epochs=2, lr_step_factor=0.5, warmup_epochs=1)
    assert found == [0.5, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_without_steps_the_rate_stays() -> None:
    assert shares(epochs=3) == [1, 1, 1]


@given(epochs=st.integers(1, 60), share=st.floats(0, 0.99))
def test_cosine_rises_to_1_falls_and_never_ends(epochs: int, share: float) -> None:
    warm = int(share * epochs)
    found = shares(epochs=epochs, schedule="cosine", warmup_epochs=warm)
    assert found[warm] == max(found) == 1
    assert found[: warm + 1] == sorted(found[: warm + 1])
    assert found[warm:] == sorted(found[warm:], reverse=True)
    assert min(found) > 0


def test_json_and_back() -> None:
    epochs = (
        Epoch(train_loss=0.1 + 0.2, learning_rate=1e-4),
        Epoch(train_loss=0.2, learning_rate=1e-5, validation_loss=0.3, validation_accuracy=1.0),
    )
    history = History(epochs=epochs, best=1, monitor="train_loss", stopped_early=False)
    assert History.from_dict(json.loads(json.dumps(history.as_dict()))) == history
