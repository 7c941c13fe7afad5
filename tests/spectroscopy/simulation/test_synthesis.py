"""Synthesis: machine code gives what numpy gives."""

import numpy as np
import pytest

from hepatica.spectroscopy.signal.spectrum import to_spectrum
from hepatica.spectroscopy.simulation.synthesis import (
    add_echoes,
    add_lines,
    add_noise,
    add_splines,
    damped_sums,
    highest,
    phased,
)

POINTS, DWELL = 300, 1 / 2000
TIME = DWELL * np.arange(POINTS)
COMPONENTS = np.exp(2j * np.pi * np.array([[50.0], [-120.0], [300.0]]) * TIME) * np.array([[9.0], [2.0], [60.0]])


def summed(**given: np.ndarray) -> np.ndarray:
    """Sums of one row, undamped and undisturbed but for what is given."""
    padded = np.pad(COMPONENTS, ((0, 0), (0, 20)))
    wanted = {
        "amplitude": np.array([[1.0, 2.0, 0.5]]), "rate": np.zeros((1, 3), complex), "common": np.zeros(1, complex),
        "gauss": np.zeros(1), "offsets": np.zeros((1, 1)), "transients": np.ones(1, int),
        "eddy": np.array([[0.0, 100.0]]), "cut": np.array([POINTS]),
    } | given  # fmt: skip
    out = np.empty((1, POINTS), np.complex64)
    damped_sums(out, padded.real.astype(np.float32), padded.imag.astype(np.float32), *wanted.values())
    out[0, 0] *= 2
    return out[0]


def close(found: np.ndarray, wanted: np.ndarray, *, within: float = 2e-6) -> bool:
    return bool(np.abs(found - wanted).max() < within * np.abs(wanted).max())


def test_components_are_added() -> None:
    assert close(summed(), np.array([1, 2, 0.5]) @ COMPONENTS)


def test_each_component_turns_and_decays_by_itself_then_all_together() -> None:
    rate = np.array([[2j * np.pi * 0.8, -2j * np.pi * 0.5, -np.pi * 5]]) * DWELL
    common = np.array([2j * np.pi * 7 - np.pi * 6])
    gauss = np.array([-((np.pi * 12) ** 2) / (4 * np.log(2))])
    wanted = (np.array([[1, 2, 0.5]]).T * COMPONENTS * np.exp(rate.T * TIME / DWELL)).sum(axis=0)
    wanted = wanted * np.exp(common * TIME + gauss * TIME**2)
    assert close(summed(rate=rate, common=common * DWELL, gauss=gauss * DWELL**2), wanted)


def test_what_is_damped_away_is_zero() -> None:
    found = summed(common=np.array([-0.5 + 0j]))
    assert (found[60:] == 0).all()
    assert (found[:40] != 0).all()


def test_the_decay_is_cut() -> None:
    assert (summed(cut=np.array([100]))[100:] == 0).all()


def test_transients_are_averaged() -> None:
    hz = np.array([[3.0, -2.0, 1.0, 1000.0]])
    found = summed(offsets=2 * np.pi * hz * DWELL, transients=np.array([3]))
    mean = np.exp(2j * np.pi * hz[0, :3, None] * TIME).mean(axis=0)
    assert close(found, mean * (np.array([1, 2, 0.5]) @ COMPONENTS), within=1e-4)


def test_eddy_currents_turn_the_phase_towards_an_angle() -> None:
    hz, seconds = 4.0, 0.05
    angle = 2 * np.pi * hz * seconds * (1 - np.exp(-TIME / seconds))
    found = summed(eddy=np.array([[2 * np.pi * hz * DWELL, seconds / DWELL]]))
    assert close(found, np.exp(1j * angle) * (np.array([1, 2, 0.5]) @ COMPONENTS), within=2e-4)


@pytest.mark.parametrize("rows", [1, 3])
def test_rows_do_not_see_each_other(rows: int) -> None:
    padded = np.pad(COMPONENTS, ((0, 0), (0, 20)))
    parts = padded.real.astype(np.float32), padded.imag.astype(np.float32)
    amplitude = np.arange(1.0, 1 + 3 * rows).reshape(rows, 3)
    out = np.empty((rows, POINTS), np.complex64)
    damped_sums(
        out, *parts, amplitude, np.zeros((rows, 3), complex), np.full(rows, -0.01 + 0.1j), np.zeros(rows),
        np.zeros((rows, 1)), np.ones(rows, int), np.ones((rows, 2)) * [0, 1], np.full(rows, POINTS),
    )  # fmt: skip
    wanted = amplitude @ COMPONENTS * np.exp((-0.01 + 0.1j) * np.arange(POINTS))
    wanted[:, 0] *= 0.5
    assert close(out, wanted)


BINS = 256


def empty(rows: int = 1, points: int = BINS) -> np.ndarray:
    return np.zeros((rows, points), np.complex64)


def test_the_highest_point_is_looked_for_within_the_window() -> None:
    values = np.arange(10, dtype=np.complex64)[None] + 100j
    assert highest(values, np.array([2]), np.array([6])) == 5
    assert highest(values, np.array([-3]), np.array([50])) == 9
    assert highest(-values, np.array([0]), np.array([10])) == 0


def test_phases_turn_evenly() -> None:
    values = np.ones((2, BINS), np.complex64)
    phased(values, np.array([0.3, -1.0]), np.array([0.01, -0.02]))
    wanted = np.exp(1j * (np.array([[0.3], [-1.0]]) + np.array([[0.01], [-0.02]]) * np.arange(BINS)))
    assert np.abs(values - wanted).max() < 1e-6


def test_splines_are_weighed_sums_of_four() -> None:
    values = empty(2, 3)
    coefficients = np.array([[1, 2, 3, 4, 5j], [0, 0, 0, 0, 1]], complex)
    first = np.array([[0, 0, 1], [1, 1, 0]])
    weight = np.ones((2, 3, 4)) * np.arange(1, 5)
    add_splines(values, coefficients, np.array([0, 1]), first, weight)
    assert values.tolist() == [[30, 30, 20 + 20j], [4, 4, 0]]


@pytest.mark.parametrize("points", [BINS, 255])
def test_lines_are_transforms_of_damped_decays(points: int) -> None:
    rate = np.array([[0.4j - 0.02, -1.1j - 0.05]])
    height = np.array([[2 * np.exp(0.5j), 3.0]])
    values = empty(points=points)
    add_lines(values, height, rate)
    size = height[0] * (1 - np.exp(rate[0].real))
    wanted = to_spectrum(size @ np.exp(rate[0][:, None] * np.arange(points)))
    assert np.abs(values[0] - wanted).max() < 1e-5


def test_a_lines_height_is_that_of_its_top() -> None:
    values = empty()
    add_lines(values, np.array([[5.0 + 0j]]), np.array([[-0.1 + 0j]]))
    assert values[0, BINS // 2].real == pytest.approx(5, rel=0.06)  # half a first sample is missing below


def test_an_echo_is_a_bell_in_time_too() -> None:
    values, late, width = empty(), 60, 8.0
    add_echoes(values, np.array([3.0 + 0j]), np.array([100.0]), np.array([width]), np.array([2 * np.pi * late / BINS]))
    time = np.abs(np.fft.ifft(np.fft.ifftshift(values[0])))
    assert np.abs(values[0]).argmax() == 100
    assert np.abs(values).max() == pytest.approx(3)
    assert time.argmax() == late
    spread = np.sqrt((time**2 * (np.arange(BINS) - late) ** 2).sum() / (time**2).sum())
    assert spread * np.sqrt(2) == pytest.approx(BINS / (2 * np.pi * width), rel=1e-3)


def test_noise_has_its_size_in_both_parts() -> None:
    values = empty(2)
    normal = np.random.default_rng(0).standard_normal((2, 2 * BINS), dtype=np.float32)
    add_noise(values, np.array([0.0, 3.0]), normal)
    assert not values[0].any()
    assert values[1].real == pytest.approx(3 * normal[1, ::2])
    assert values[1].imag == pytest.approx(3 * normal[1, 1::2])
