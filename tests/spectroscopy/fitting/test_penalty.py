"""Penalty: its gradient and its Hessian are those of its cost."""

import numpy as np
import pytest

from hepatica.spectroscopy.fitting.penalty import Penalty


def nothing(n: int, p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(n), np.zeros((n, p)), np.zeros((n, p, p))


def test_the_gradient_is_that_of_the_cost():
    root = np.random.default_rng(0).normal(size=(4, 4))
    penalty = Penalty(mean=np.arange(4.0), precision=root @ root.T)
    vector = np.array([[1.0, -1.0, 3.0, 0.5]])
    rows = np.arange(1)
    half, gradient, hessian = penalty.add(vector, rows, nothing(1, 4))
    for column in range(4):
        step = np.zeros(4)
        step[column] = 1e-5
        up, down = (penalty.add(vector + sign * step, rows, nothing(1, 4))[0] for sign in (1, -1))
        assert gradient[:, column] == pytest.approx((up - down) / 2e-5)
    assert hessian[0] == pytest.approx(root @ root.T)
    assert half[0] > 0


def test_each_spectrum_has_its_own_where_there_are_several():
    penalty = Penalty(mean=np.zeros(2), precision=np.array([np.eye(2), 4 * np.eye(2)]))
    half, _, hessian = penalty.add(np.ones((1, 2)), np.array([1]), nothing(1, 2))
    assert half == pytest.approx([4])
    assert hessian[0] == pytest.approx(4 * np.eye(2))
