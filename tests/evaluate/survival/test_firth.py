import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.patients import Patients
from hepatica.evaluate.survival.firth import maximise_penalised
from hepatica.evaluate.survival.partial_likelihood import Rows, maximise


def rows(x: list[list[float]], event: list[int]) -> Rows:
    n = len(event)
    return Rows(
        x=np.array(x, float),
        start=np.full(n, -1.0),
        stop=np.arange(1.0, n + 1),
        event=np.array(event, bool),
        weight=np.ones(n),
    )


def test_two_patients_one_can_count() -> None:
    """The exposed one has the event: 1.5 b - 2 log(1 + exp(b)) is greatest at exp(b) = 3."""
    beta, limits, p = maximise_penalised(rows([[1], [0]], [1, 0]))
    assert np.exp(beta[0]) == pytest.approx(3, abs=1e-4)

    def penalised(b: float) -> float:
        return float(1.5 * b - 2 * np.log1p(np.exp(b)))

    ends = [penalised(float(end)) for end in limits[0]]
    assert ends == pytest.approx([penalised(np.log(3)) - 3.841459 / 2] * 2, abs=1e-5)
    assert p[0] == pytest.approx(0.469459, abs=1e-5)  # chi-square 0.523248


def test_with_many_events_the_penalty_is_small() -> None:
    many = rows(np.random.default_rng(0).normal(size=(300, 1)).tolist(), [1] * 300)
    assert maximise_penalised(many)[0] == pytest.approx(maximise(many, Patients(count=300))[0], abs=0.01)


def test_columns_that_repeat_each_other_are_refused() -> None:
    with pytest.raises(EvaluationError, match="singular"):
        maximise_penalised(rows([[1, 2], [0, 0], [1, 2], [0, 0]], [1, 0, 0, 0]))
