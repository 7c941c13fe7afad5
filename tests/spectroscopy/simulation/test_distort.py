import numpy as np
import pytest

from hepatica.spectroscopy.signal.spectrum import to_spectrum
from hepatica.spectroscopy.simulation.distort import add_echoes, add_lines, add_noise, add_splines, highest, phased

POINTS = 256


def empty(rows: int = 1, points: int = POINTS) -> np.ndarray:
    return np.zeros((rows, points), np.complex64)


def test_the_highest_point_is_looked_for_within_the_window() -> None:
    values = np.arange(10, dtype=np.complex64)[None] + 100j
    assert highest(values, np.array([2]), np.array([6])) == 5
    assert highest(values, np.array([-3]), np.array([50])) == 9
    assert highest(-values, np.array([0]), np.array([10])) == 0


def test_phases_turn_evenly() -> None:
    values = np.ones((2, POINTS), np.complex64)
    phased(values, np.array([0.3, -1.0]), np.array([0.01, -0.02]))
    wanted = np.exp(1j * (np.array([[0.3], [-1.0]]) + np.array([[0.01], [-0.02]]) * np.arange(POINTS)))
    assert np.abs(values - wanted).max() < 1e-6


def test_splines_are_weighed_sums_of_four() -> None:
    values = empty(2, 3)
    coefficients = np.array([[1, 2, 3, 4, 5j], [0, 0, 0, 0, 1]], complex)
    first = np.array([[0, 0, 1], [1, 1, 0]])
    weight = np.ones((2, 3, 4)) * np.arange(1, 5)
    add_splines(values, coefficients, np.array([0, 1]), first, weight)
    assert values.tolist() == [[30, 30, 20 + 20j], [4, 4, 0]]


@pytest.mark.parametrize("points", [POINTS, 255])
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
    assert values[0, POINTS // 2].real == pytest.approx(5, rel=0.06)  # half a first sample is missing below


def test_an_echo_is_a_bell_in_time_too() -> None:
    values, late, width = empty(), 60, 8.0
    add_echoes(
        values, np.array([3.0 + 0j]), np.array([100.0]), np.array([width]), np.array([2 * np.pi * late / POINTS])
    )
    time = np.abs(np.fft.ifft(np.fft.ifftshift(values[0])))
    assert np.abs(values[0]).argmax() == 100
    assert np.abs(values).max() == pytest.approx(3)
    assert time.argmax() == late
    spread = np.sqrt((time**2 * (np.arange(POINTS) - late) ** 2).sum() / (time**2).sum())
    assert spread * np.sqrt(2) == pytest.approx(POINTS / (2 * np.pi * width), rel=1e-3)


def test_noise_has_its_size_in_both_parts() -> None:
    values = empty(2)
    normal = np.random.default_rng(0).standard_normal((2, 2 * POINTS), dtype=np.float32)
    add_noise(values, np.array([0.0, 3.0]), normal)
    assert not values[0].any()
    assert values[1].real == pytest.approx(3 * normal[1, ::2])
    assert values[1].imag == pytest.approx(3 * normal[1, 1::2])
