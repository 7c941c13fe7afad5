"""Baseline: against penalised least squares written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.fitting.baseline import Baseline, bsplines

PPM = np.linspace(0.4, 4.2, 120)


def test_splines_are_cubic_and_sum_to_one():
    design = bsplines(PPM, splines=9)
    assert design.sum(axis=1) == pytest.approx(np.ones(PPM.size))
    assert ((design > 1e-12).sum(axis=1) <= 4).all()
    cubic = PPM**3 - 5 * PPM
    assert design @ np.linalg.lstsq(design, cubic, rcond=None)[0] == pytest.approx(cubic)


@settings(deadline=None, max_examples=20)
@given(st.integers(5, 20), st.floats(0.05, 0.95))
def test_freedom_is_what_was_asked_for(splines, share):
    freedom = 2 + share * (splines - 2)
    baseline = Baseline(ppm=PPM, splines=splines, freedom=freedom)
    assert baseline.kept.sum() == pytest.approx(freedom, abs=1e-6)
    assert np.trace(baseline.smooth(np.eye(PPM.size))) == pytest.approx(freedom, abs=1e-6)


def test_smooth_and_whiten_are_penalised_least_squares():
    """Smooth = B (BᵀB + λ DᵀD)⁻¹ Bᵀ y; the square of what is whitened is |y - Bs|² + λ |Ds|²."""
    baseline = Baseline(ppm=PPM, splines=10, freedom=6)
    design, bend = bsplines(PPM, splines=10), np.diff(np.eye(10), n=2, axis=0)
    rng = np.random.default_rng(0)
    values = rng.normal(size=PPM.size) + 1j * rng.normal(size=PPM.size)

    def weight_of(freedom: float) -> float:
        low, high = -20.0, 20.0
        for _ in range(200):
            middle = (low + high) / 2
            inner = np.linalg.solve(design.T @ design + np.exp(middle) * bend.T @ bend, design.T @ design)
            low, high = (middle, high) if np.trace(inner) > freedom else (low, middle)
        return float(np.exp(low))

    weight = weight_of(6)
    coefficients = np.linalg.solve(design.T @ design + weight * bend.T @ bend, design.T @ values)
    assert baseline.smooth(values) == pytest.approx(design @ coefficients, abs=1e-8)
    left = np.abs(values - design @ coefficients) ** 2
    penalised = left.sum() + weight * (np.abs(bend @ coefficients) ** 2).sum()
    assert (np.abs(baseline.whiten(values)) ** 2).sum() == pytest.approx(penalised)


def test_a_straight_line_is_baseline_whatever_the_penalty():
    line = (1 + 2j) * PPM - 3
    assert np.abs(Baseline(ppm=PPM, splines=12, freedom=2.1).whiten(line)).max() < 1e-9


@pytest.mark.parametrize("wrong", [{"splines": 3}, {"splines": 120}, {"freedom": 2}, {"freedom": 13}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(SettingsError, match="degrees of freedom"):
        Baseline(ppm=PPM, **wrong)
