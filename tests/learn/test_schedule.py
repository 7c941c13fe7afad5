import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.learn import Plan
from hepatica.learn.schedule import share_of_rate


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
