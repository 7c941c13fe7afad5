"""Transients: the single shots of a phantom's spectrum in each coil: drift, breath, eddy currents, motion, noise."""

from dataclasses import dataclass

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from hepatica.spectroscopy.phantom.settings import Hospital
from hepatica.spectroscopy.signal.acquisition import Acquisition

Signal = NDArray[np.complex128]

_BREATHS_A_TRANSIENT = 0.43
"""Breaths from one transient to the next, at TR 2 s. Ours."""

_PHASE_SD = 0.15
_EDDY_S = 0.06
_GAIN = (0.3, 3.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Receiver:
    """How one scan was received: coils (c,) of root sum of squares 1, gain, eddy current in Hz, phase in rad."""

    coils: Signal
    gain: float
    eddy_hz: float
    phase: float


def draw_receiver(rng: np.random.Generator, *, coils: int, hospital: Hospital) -> Receiver:
    """A receiver, the same for the spectrum and its water reference."""
    sensitivity = rng.normal(1, 0.3, coils) * np.exp(2j * np.pi * rng.random(coils))
    return Receiver(
        coils=sensitivity / np.linalg.norm(sensitivity),
        gain=float(np.exp(rng.uniform(*np.log(_GAIN)))),
        eddy_hz=float(hospital.eddy_hz * rng.normal()),
        phase=float(rng.uniform(-np.pi, np.pi)),
    )


def receive(
    rng: np.random.Generator,
    fid: Signal,
    *,
    acquisition: Acquisition,
    transients: int,
    noise_sd: float,
    receiver: Receiver,
    hospital: Hospital,
) -> Signal:
    """(transients, coils, points) of a decay (points,); their best mean has noise of `noise_sd` times the gain."""
    turned = _turns(rng, acquisition=acquisition, transients=transients, receiver=receiver, hospital=hospital)
    spoiled = rng.random(transients) < hospital.spoiled
    kept = np.where(spoiled, rng.uniform(0.2, 0.6, transients) * np.exp(2j * np.pi * rng.random(transients)), 1)
    shots = rearrange(kept, "t -> t 1") * turned * fid
    seen = rearrange(shots, "t n -> t 1 n") * rearrange(receiver.coils, "c -> 1 c 1")
    noise = rng.standard_normal((2, *seen.shape)) * noise_sd * np.sqrt(transients)
    return np.asarray(receiver.gain * (seen + noise[0] + 1j * noise[1]))


def _turns(
    rng: np.random.Generator, *, acquisition: Acquisition, transients: int, receiver: Receiver, hospital: Hospital
) -> Signal:
    """(transients, points) of unit size."""
    number = np.arange(transients)
    breath = np.sin(2 * np.pi * (_BREATHS_A_TRANSIENT * number + rng.random()))
    hz = hospital.drift_hz * rng.normal() * (number / max(1, transients - 1) - 0.5) + hospital.breathing_hz * breath
    phase = receiver.phase + _PHASE_SD * np.cumsum(rng.standard_normal(transients)) / np.sqrt(transients)
    time = acquisition.time_s
    eddy = 2 * np.pi * receiver.eddy_hz * _EDDY_S * (1 - np.exp(-time / _EDDY_S))
    angle = rearrange(phase, "t -> t 1") + 2 * np.pi * rearrange(hz, "t -> t 1") * time + eddy
    return np.asarray(np.exp(1j * angle))
