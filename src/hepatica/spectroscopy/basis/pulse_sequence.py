"""Pulse sequence: PRESS, STEAM, ideal sLASER and spin echo as delays, rotations and filters of coherence."""

from dataclasses import dataclass
from typing import Literal

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.shaped_pulse import ShapedPulse
from hepatica.spectroscopy.signal.acquisition import Acquisition

PRESS_TE1_SHARE = 1 / 3
"""Part of PRESS's TE that is its first echo (ours; vendors make the first echo as short as they can)."""

STEAM_TM_MS = 10.0
"""Mixing time of STEAM where the acquisition does not tell it (ours)."""


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
