"""Acquisition: by which sequence a spectrum was excited, and how it was sampled."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import SpecimenError

Sequence = Literal["press", "steam", "slaser", "spin_echo"]

WATER_PPM = 4.65
"""Chemical shift of water at body temperature, the default reference of the receiver."""


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """Sampling and timing of a spectrum; the defaults are 3 T liver PRESS (ours; the paper's is not public).

    A resonance at `ppm` evolves as exp(+2 pi i (ppm - reference_ppm) f0_mhz t): `reference_ppm` is the shift at 0 Hz.
    `tm_ms` is STEAM's mixing time. Times absent from a file are None. Raises SpecimenError on impossible values.
    """

    f0_mhz: float = 127.74
    bandwidth_hz: float = 2000.0
    points: int = 1024
    sequence: Sequence = "press"
    te_ms: float = 35.0
    tr_ms: float | None = 2000.0
    tm_ms: float | None = None
    reference_ppm: float = WATER_PPM

    def __post_init__(self) -> None:
        for name in ("f0_mhz", "bandwidth_hz", "points", "te_ms"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise SpecimenError(f"got {name} = {getattr(self, name)}, wanted a number above 0: correct the header")

    @property
    def time_s(self) -> NDArray[np.float64]:
        """(points,) seconds from the first sample."""
        return np.arange(self.points) / self.bandwidth_hz

    @property
    def hz(self) -> NDArray[np.float64]:
        """(points,) Hz of `numpy.fft.fftshift(numpy.fft.fft(fid))`, rising."""
        return np.fft.fftshift(np.fft.fftfreq(self.points, 1 / self.bandwidth_hz))

    @property
    def ppm(self) -> NDArray[np.float64]:
        """(points,) ppm of the same spectrum, rising; pictures draw it from right to left."""
        return self.reference_ppm + self.hz / self.f0_mhz

    def within(self, low: float, high: float) -> NDArray[np.bool_]:
        """(points,) which of `ppm` lie between two shifts, both included."""
        return np.asarray((self.ppm >= low) & (self.ppm <= high))
