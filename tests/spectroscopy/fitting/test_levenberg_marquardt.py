"""Levenberg-Marquardt: against SciPy and a valley of known bottom."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from hepatica.spectroscopy.fitting.levenberg_marquardt import bounded_step, inverse, minimise

FREE = np.full(2, np.inf)


def rosenbrock(vector, rows):
    """Residuals (10 (y - x²), 1 - x): a bent valley with its bottom at (1, 1)."""
    x, y = vector.T
    rest = np.stack([10 * (y - x**2), 1 - x], axis=1)
    slopes = np.zeros((len(x), 2, 2))
    slopes[:, 0, 0], slopes[:, 0, 1], slopes[:, 1, 0] = -20 * x, 10, -1
    turned = slopes.swapaxes(1, 2)
    return 0.5 * (rest**2).sum(axis=1), (turned @ rest[..., None])[..., 0], turned @ slopes


def test_each_of_many_problems_finds_its_minimum():
    start = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    found = minimise(start, normal_equations=rosenbrock, lower=-FREE, upper=FREE, tolerance=1e-12)
    assert found.converged.all()
    assert found.vector == pytest.approx(np.ones((50, 2)), abs=1e-4)
    assert found.iterations.min() < found.iterations.max()


def test_what_was_not_solved_is_told_and_no_worse_than_its_start():
    start = np.array([[-1.9, 2.0], [1.0, 1.0]])
    found = minimise(start, normal_equations=rosenbrock, lower=-FREE, upper=FREE, iterations=3)
    assert found.converged.tolist() == [False, True]
    assert found.half_chi2[0] <= rosenbrock(start, None)[0][0]


def test_no_step_goes_uphill():
    """A whole Gauss-Newton step of this valley does, from nearly everywhere."""
    start = np.random.default_rng(1).uniform(-2, 2, (50, 2))
    found = minimise(start, normal_equations=rosenbrock, lower=-FREE, upper=FREE, iterations=1)
    assert (found.half_chi2 <= rosenbrock(start, None)[0]).all()


def test_what_is_put_at_its_bound_lets_the_rest_go_further():
    """Free, the step is (2, -1); with the second at 0 the first is 3 / 2."""
    hessian, gradient = np.array([[[2.0, 1.0], [1.0, 2.0]]]), np.array([[-3.0, 0.0]])
    step = bounded_step(
        hessian, gradient, damping=np.zeros(1), low=np.array([[-9.0, 0.0]]), high=np.array([[9.0, 9.0]])
    )
    assert step[0] == pytest.approx([1.5, 0])


def test_bounds_hold_in_a_bent_valley():
    """With x at most 0.5 the bottom is at (0.5, 0.25)."""
    upper = np.array([0.5, np.inf])
    found = minimise(np.zeros((1, 2)), normal_equations=rosenbrock, lower=-FREE, upper=upper, tolerance=1e-12)
    assert found.converged.all()
    assert found.vector[0] == pytest.approx([0.5, 0.25], abs=1e-5)


def test_linear_problems_end_where_scipy_ends():
    """Non-negative least squares, half of the unknowns at 0 in the end."""
    rng = np.random.default_rng(3)
    designs, targets = rng.normal(size=(20, 30, 8)), rng.normal(size=(20, 30))

    def linear(vector, rows):
        rest = (designs[rows] @ vector[..., None])[..., 0] - targets[rows]
        turned = designs[rows].swapaxes(1, 2)
        return 0.5 * (rest**2).sum(axis=1), (turned @ rest[..., None])[..., 0], turned @ designs[rows]

    found = minimise(
        np.ones((20, 8)), normal_equations=linear, lower=np.zeros(8), upper=np.full(8, np.inf), tolerance=1e-14
    )
    wanted = [lsq_linear(a, b, bounds=(0, np.inf)).x for a, b in zip(designs, targets, strict=True)]
    assert found.converged.all()
    assert found.vector == pytest.approx(np.array(wanted), abs=1e-5)
    assert (found.vector == 0).any()


def test_an_inverse_does_not_mind_units():
    root = np.random.default_rng(2).normal(size=(3, 5, 5))
    matrix, unit = root @ root.swapaxes(1, 2), 10.0 ** np.array([-12, -6, 0, 6, 12])
    scaled = matrix * unit[:, None] * unit[None]
    assert inverse(scaled) * unit[:, None] * unit[None] == pytest.approx(np.linalg.inv(matrix))
    matrix[:, 4], matrix[:, :, 4] = 0, 0
    assert inverse(matrix)[:, :4, :4] == pytest.approx(np.linalg.inv(matrix[:, :4, :4]))


def test_a_step_stays_within_its_bounds():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(40, 6, 6))
    low, high = -rng.uniform(0, 0.1, (40, 6)), rng.uniform(0, 0.1, (40, 6))
    step = bounded_step(
        root @ root.swapaxes(1, 2), rng.normal(size=(40, 6)), damping=np.full(40, 1e-3), low=low, high=high
    )
    assert (step >= low).all()
    assert (step <= high).all()


def test_a_step_is_the_best_within_its_bounds():
    """Of problems whose parameters are next to the same, as overlapping lines are, so that bounds free one another."""
    rng = np.random.default_rng(4)
    designs = rng.normal(size=(200, 60, 40)) + 3 * rng.normal(size=(200, 60, 1))
    targets = 30 * rng.normal(size=(200, 60)) + designs.sum(axis=2)
    low, high = -rng.uniform(0, 1, (200, 40)), rng.uniform(0, 1, (200, 40))
    gradient = -np.einsum("nwp,nw->np", designs, targets)
    step = bounded_step(designs.swapaxes(1, 2) @ designs, gradient, damping=np.zeros(200), low=low, high=high)
    wanted = [
        lsq_linear(a, b, bounds=bounds, method="bvls", tol=1e-14).x
        for a, b, bounds in zip(designs, targets, zip(low, high, strict=True), strict=True)
    ]
    assert step == pytest.approx(np.array(wanted), abs=1e-8)
