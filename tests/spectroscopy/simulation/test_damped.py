import numpy as np
import pytest

from hepatica.spectroscopy.simulation.damped import damped_sums

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
