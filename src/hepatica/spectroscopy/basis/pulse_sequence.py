"""Pulse sequence: PRESS, STEAM, semi-LASER and spin echo as events, with ideal or shaped refocusing pulses."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition

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
        reach = 250 * len(self.amplitude) / self.duration_ms  # half of what the samples resolve
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


PRESS_TE1_SHARE = 1 / 3
"""Part of PRESS's TE that is its first echo (ours; vendors make the first echo as short as they can)."""

STEAM_TM_MS = 10.0
"""Mixing time of STEAM where the acquisition has none (ours)."""


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Free precession, in seconds."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """An ideal pulse on all protons: its angle in degrees about the x or y axis."""

    degrees: float
    axis: Literal["x", "y"]


@dataclass(frozen=True, kw_only=True)
class Keep:
    """A gradient filter: only coherences of this order go on."""

    order: int


Event = Delay | Rotation | Keep | ShapedPulse

_EXCITE = Rotation(degrees=90, axis="y")
_REFOCUS = Rotation(degrees=180, axis="x")


def events(
    acquisition: Acquisition, *, te1_ms: float | None = None, refocusing: ShapedPulse | None = None
) -> tuple[Event, ...]:
    """The events from equilibrium to the first sample.

    `te1_ms` is PRESS's first echo time, PRESS_TE1_SHARE of TE when left out. Pulses are ideal and without length but
    for a shaped `refocusing` pulse of PRESS and the spin echo. sLASER is an excitation and four equally spaced
    refocusing pulses. Raises SettingsError on a TE1 outside 0 to TE, or on what the sequence has no use for.
    """
    te = acquisition.te_ms / 1000
    if te1_ms is not None and (acquisition.sequence != "press" or not 0 < te1_ms < acquisition.te_ms):
        raise SettingsError(
            f"got a first echo time of {te1_ms} ms for {acquisition.sequence} of TE {acquisition.te_ms} ms; it is for"
            " press, between 0 and TE: leave it out or correct it"
        )
    if refocusing is not None and acquisition.sequence not in ("press", "spin_echo"):
        raise SettingsError(f"got a shaped refocusing pulse for {acquisition.sequence}; it is for press and spin_echo")
    if acquisition.sequence == "steam":
        return _steam(te, tm=(STEAM_TM_MS if acquisition.tm_ms is None else acquisition.tm_ms) / 1000)
    if acquisition.sequence == "press":
        te1 = te * PRESS_TE1_SHARE if te1_ms is None else te1_ms / 1000
        return _echoes([te1 / 2, te / 2, (te - te1) / 2], refocusing=refocusing)
    if acquisition.sequence == "slaser":
        return _echoes([te / 8, te / 4, te / 4, te / 4, te / 8], refocusing=None)
    return _echoes([te / 2, te / 2], refocusing=refocusing)


def _echoes(delays: list[float], *, refocusing: ShapedPulse | None) -> tuple[Event, ...]:
    """An excitation, and a refocusing pulse between each two delays; crushers keep the echo of a shaped one."""
    order = 1 if len(delays) % 2 == 0 else -1
    chain: list[Event] = [_EXCITE, Keep(order=order), Delay(seconds=delays[0])]
    for delay in delays[1:]:
        order = -order
        chain += [refocusing or _REFOCUS, Keep(order=order), Delay(seconds=delay)]
    return tuple(chain)


def _steam(te: float, *, tm: float) -> tuple[Event, ...]:
    """The stimulated echo: of order 1 before the mixing time, 0 within it (zero-quantum coherences stay)."""
    store = Rotation(degrees=-90, axis="y")
    return (
        _EXCITE, Keep(order=1), Delay(seconds=te / 2), store, Keep(order=0), Delay(seconds=tm), _EXCITE,
        Delay(seconds=te / 2),
    )  # fmt: skip
