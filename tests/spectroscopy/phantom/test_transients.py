from dataclasses import replace

import numpy as np
import pytest

from hepatica.spectroscopy.phantom.render import Receiver, draw_receiver, receive
from hepatica.spectroscopy.phantom.settings import HOSPITALS
from hepatica.spectroscopy.signal.acquisition import Acquisition

ACQUISITION = Acquisition(points=512)
FID = np.exp((2j * np.pi * 30 - np.pi * 10) * ACQUISITION.time_s)
STILL = replace(HOSPITALS["A"], drift_hz=0, breathing_hz=0, spoiled=0)
PLAIN = Receiver(coils=np.array([0.6, 0.8j]), gain=2.0, eddy_hz=0.0, phase=0.0)


def received(**given: object) -> np.ndarray:
    wanted = {
        "acquisition": ACQUISITION,
        "transients": 16,
        "noise_sd": 0.0,
        "receiver": PLAIN,
        "hospital": STILL,
    } | given
    return receive(np.random.default_rng(0), FID, **wanted)


def frequencies(shots: np.ndarray) -> np.ndarray:
    turned = shots[:, 0] / FID
    return np.angle((turned[:, 1:101] / turned[:, :100]).mean(axis=1)) * ACQUISITION.bandwidth_hz / (2 * np.pi)


def test_coils_see_the_same_signal_with_their_own_weight_and_phase() -> None:
    shots = received()
    assert shots.shape == (16, 2, 512)
    assert shots[:, 1] == pytest.approx(shots[:, 0] * 0.8j / 0.6)
    assert np.abs(shots[:, 0]) == pytest.approx(2.0 * 0.6 * np.abs(np.tile(FID, (16, 1))))


def test_drift_and_breath_move_transients() -> None:
    assert frequencies(received()) == pytest.approx(0, abs=1e-6)
    drifting = frequencies(received(hospital=replace(STILL, drift_hz=8)))
    assert np.ptp(np.diff(drifting)) == pytest.approx(0, abs=1e-6)
    assert np.ptp(drifting) > 0.5
    breathing = frequencies(received(hospital=replace(STILL, breathing_hz=3)))
    assert 2.5 < np.abs(breathing).max() <= 3 + 1e-6


def test_motion_spoils_transients() -> None:
    size = np.abs(received(hospital=replace(STILL, spoiled=0.5), transients=200)[:, 0, 0]) / 1.2
    assert (size < 0.61).mean() == pytest.approx(0.5, abs=0.12)


def test_noise_of_the_best_mean_is_as_asked() -> None:
    noisy = received(noise_sd=0.01, transients=64) - received(transients=64)
    mean = (noisy * PLAIN.coils.conj()[None, :, None]).sum(axis=1).mean(axis=0)
    assert mean.real.std() == pytest.approx(2.0 * 0.01, rel=0.15)
    assert mean.imag.std() == pytest.approx(2.0 * 0.01, rel=0.15)


def test_eddy_currents_turn_spectrum_and_reference_alike() -> None:
    turned = received(receiver=replace(PLAIN, eddy_hz=3.0))[0, 0] / received()[0, 0]
    again = received(receiver=replace(PLAIN, eddy_hz=3.0), transients=4)[0, 0] / received(transients=4)[0, 0]
    assert np.angle(turned[-1]) == pytest.approx(2 * np.pi * 3 * 0.06, rel=0.02)
    assert turned == pytest.approx(again)


def test_coils_have_a_root_sum_of_squares_of_one() -> None:
    receiver = draw_receiver(np.random.default_rng(0), coils=5, hospital=HOSPITALS["B"])
    assert np.linalg.norm(receiver.coils) == pytest.approx(1)
    assert 0.3 <= receiver.gain <= 3
