"""Shaped pulse: a refocusing pulse with a real slice profile, for the displacement of chemical shifts in PRESS.

A slice is chosen by frequency, so coupled partners of different shift are refocused in slices that lie apart; where one
is refocused and the other is not, their coupling evolves otherwise. Each spin is turned at the pulse's centre as the
pulse's profile at its own frequency tells, and couplings evolve before and after; they are left out during the pulse.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.signal.acquisition import WATER_PPM

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

SEEN_WIDTHS = 1.5
"""Width over which a slice is averaged, in widths at half height of the profile (ours)."""

SEEN_PPM = 2.5
"""Shifts this far from the carrier lie wholly within what is averaged (ours)."""


@dataclass(frozen=True, kw_only=True)
class ShapedPulse:
    """A refocusing pulse: equally long samples of its relative amplitude and phase (degrees), and its length in ms.

    It is averaged over `positions` places across its slice, and its slice of `carrier_ppm` lies in the voxel (ours: 32
    places as FID-A does, and the middle between choline and the fat). Raises SettingsError on what is no pulse.
    """

    amplitude: tuple[float, ...]
    phase_deg: tuple[float, ...] | None = None
    duration_ms: float
    carrier_ppm: float = 2.3
    positions: int = 32

    def __post_init__(self) -> None:
        paired = self.phase_deg is None or len(self.phase_deg) == len(self.amplitude)
        if not (paired and self.duration_ms > 0 and self.positions > 0 and abs(self.area) > 0):
            raise SettingsError(
                f"got a pulse of {len(self.amplitude)} samples, {self.duration_ms} ms and {self.positions} positions;"
                " wanted a phase for each amplitude or none, a net area, and length and positions above 0"
            )

    @property
    def shape(self) -> Complex:
        """(samples,) complex relative amplitude."""
        phases = np.zeros(len(self.amplitude)) if self.phase_deg is None else np.radians(self.phase_deg)
        return np.array(self.amplitude) * np.exp(1j * phases)

    @property
    def area(self) -> complex:
        """Mean of the shape; its flip angle on resonance is 180 degrees."""
        return complex(self.shape.mean()) if self.amplitude else 0

    def turns(self, hz: Real) -> Complex:
        """(…, 2, 2) rotations of spin 1/2 at these frequencies from the carrier, without the precession of the time."""
        field = np.pi * self.shape / abs(self.area) / (self.duration_ms / 1000)
        step = self.duration_ms / 1000 / len(field)
        total = np.broadcast_to(np.eye(2, dtype=complex), (*hz.shape, 2, 2))
        for sample in field:
            total = _rotation(sample, 2 * np.pi * hz, step) @ total
        half = np.exp(0.5j * np.pi * hz * self.duration_ms / 1000)  # undoes half of the time on either side
        undo = np.stack([half, half.conj()], -1)
        return np.asarray(undo[..., :, None] * total * undo[..., None, :])

    def places_hz(self, f0_mhz: float) -> Real:
        """(positions,) Hz that the slice gradient adds, evenly over the slices of all shifts up to SEEN_PPM away."""
        half = SEEN_WIDTHS / 2 * self.width_hz + SEEN_PPM * f0_mhz
        edges = np.linspace(-half, half, self.positions + 1)
        return np.asarray((edges[1:] + edges[:-1]) / 2)

    @cached_property
    def width_hz(self) -> float:
        """Full width at half height of the refocused share."""
        reach = 250 * len(self.amplitude) / self.duration_ms  # half of what the samples tell apart
        hz = np.linspace(-reach, reach, 4001)
        refocused = np.abs(self.turns(hz)[:, 0, 1]) ** 2 >= 0.5
        return float(refocused.sum() * (hz[1] - hz[0]))

    def carrier_hz(self, f0_mhz: float) -> float:
        """The carrier's Hz from 4.65 ppm."""
        return (self.carrier_ppm - WATER_PPM) * f0_mhz


def _rotation(field: complex, offset: Real, seconds: float) -> Complex:
    """(…, 2, 2) turn of spin 1/2 in a transverse field and at an offset, both in rad/s."""
    speed = np.sqrt(abs(field) ** 2 + offset**2)
    half = speed * seconds / 2
    ratio = np.sinc(half / np.pi) * seconds / 2  # sin(half) / speed, also at rest
    along, across = 1j * ratio * offset, -1j * ratio
    cosine = np.cos(half)
    upper = np.stack([cosine - along, across * np.conj(field)], -1)
    lower = np.stack([across * field, cosine + along], -1)
    return np.stack([upper, lower], -2)


def sinc_pulse(
    *, duration_ms: float = 5.0, lobes: int = 4, samples: int = 128, carrier_ppm: float = 2.3
) -> ShapedPulse:
    """A sinc with `lobes` zeros on either side under a Hamming window (ours: length, lobes and samples)."""
    place = (np.arange(samples) + 0.5) / samples * 2 - 1
    amplitude = np.sinc(lobes * place) * (0.54 + 0.46 * np.cos(np.pi * place))
    return ShapedPulse(amplitude=tuple(map(float, amplitude)), duration_ms=duration_ms, carrier_ppm=carrier_ppm)
