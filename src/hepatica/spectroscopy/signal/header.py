"""Header: the acquisition parameters of a file, completed and corrected by the user's, units checked."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition, Sequence

GYROMAGNETIC_MHZ_PER_T = 42.577478
"""Of the proton, over 2 pi (CODATA 2018)."""

_TE_MS = (1.0, 500.0)  # ours: below is seconds, above microseconds or a mistake; FSL-MRS refuses above 500 ms too
_TR_MS = (50.0, 30_000.0)  # ours
_TM_MS = (0.5, 2000.0)  # ours
_F0_MHZ = (20.0, 600.0)  # ours: 0.5 to 14 T
_BANDWIDTH_HZ = (200.0, 100_000.0)  # ours
_REFERENCE_PPM = (-10.0, 20.0)  # ours: where protons resonate, generously
_FIELD_TOLERANCE = 0.05  # ours: Siemens' 3 T is 2.89 T

SEQUENCES: dict[str, Sequence] = {
    "svsse": "press", "svsst": "steam", "slaser": "slaser", "semilaser": "slaser", "press": "press", "steam": "steam",
    "spinecho": "spin_echo",
}  # fmt: skip
"""Parts of vendors' sequence names, in lower case without punctuation, and the sequences they mean."""

EDITED = ("mega", "hermes", "hercules", "svsedit")
"""Parts of the names of sequences whose transients differ by editing pulses, likewise."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """Known acquisition parameters, None where unknown; names and units are `Acquisition`'s.

    `field_t` is the magnet's field, which must fit `f0_mhz`; `sequence_name` is the vendor's, and serves where
    `sequence` is unknown.
    """

    f0_mhz: float | None = None
    bandwidth_hz: float | None = None
    sequence: Sequence | None = None
    te_ms: float | None = None
    tr_ms: float | None = None
    tm_ms: float | None = None
    reference_ppm: float | None = None
    field_t: float | None = None
    sequence_name: str | None = None

    def overridden_by(self, overrides: "Header") -> "Header":
        """The same with the values of `overrides` where these are not None: the user's precede the file's."""
        given = {each.name: getattr(overrides, each.name) for each in fields(overrides)}
        return replace(self, **{name: value for name, value in given.items() if value is not None})

    def acquisition(self, *, points: int) -> Acquisition:
        """The acquisition of decays of that many points, PRESS where the sequence is unknown (see `notes`).

        Raises SpecimenError, with what to do, where a parameter is missing, in another unit, or of another field, and
        for an edited spectrum.
        """
        for name, wanted in (("f0_mhz", "127.74"), ("bandwidth_hz", "2000"), ("te_ms", "35")):
            if getattr(self, name) is None:
                raise SpecimenError(f"the file has no {name}; give it, such as {name} = {wanted}")
        _check("bandwidth_hz", self.bandwidth_hz, _BANDWIDTH_HZ, unit="Hz")
        _check("te_ms", self.te_ms, _TE_MS, unit="milliseconds")
        _check("tr_ms", self.tr_ms, _TR_MS, unit="milliseconds")
        _check("tm_ms", self.tm_ms, _TM_MS, unit="milliseconds")
        _check("f0_mhz", self.f0_mhz, _F0_MHZ, unit="MHz")
        _check("reference_ppm", self.reference_ppm, _REFERENCE_PPM, unit="ppm")
        self._check_field()
        self._check_editing()
        return Acquisition(
            f0_mhz=self.f0_mhz or 0.0,
            bandwidth_hz=self.bandwidth_hz or 0.0,
            points=points,
            sequence=self.sequence or sequence_of(self.sequence_name or "") or "press",
            te_ms=self.te_ms or 0.0,
            tr_ms=self.tr_ms,
            tm_ms=self.tm_ms,
            reference_ppm=WATER_PPM if self.reference_ppm is None else self.reference_ppm,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed."""
        if self.sequence or sequence_of(self.sequence_name or ""):
            return ()
        return ("the file names no known sequence: PRESS was assumed; give the sequence if it was another",)

    def _check_editing(self) -> None:
        found = [each for each in EDITED if each in _plain(self.sequence_name or "")]
        if found and self.sequence is None:
            raise SpecimenError(
                f"got an edited spectrum ({found[0].upper()}), whose transients with and without editing differ; give"
                " the unedited ones alone, and the sequence"
            )

    def _check_field(self) -> None:
        if self.field_t is None or self.f0_mhz is None:
            return
        of_frequency = self.f0_mhz / GYROMAGNETIC_MHZ_PER_T
        if abs(of_frequency / self.field_t - 1) > _FIELD_TOLERANCE:
            raise SpecimenError(
                f"got a frequency of {self.f0_mhz:.2f} MHz, which is protons at {of_frequency:.2f} T, in a magnet of"
                f" {self.field_t:g} T; give f0_mhz, or leave the spectrum out if it is of another nucleus"
            )


UNKNOWN = Header()
"""A header that says nothing."""


def number(facts: Mapping[str, str], name: str, absent: float | None = None) -> float:
    """A number of a file's header, with a decimal point or, from a German or French console, a comma.

    `absent` serves where there is none; else SpecimenError.
    """
    if absent is not None and not facts.get(name):
        return absent
    try:
        return float(facts[name].replace(",", "."))
    except (KeyError, ValueError):
        got = f"{name} = {facts[name]!r}" if name in facts else f"no {name}"
        raise SpecimenError(f"got {got} in the header, wanted a number; export the spectrum again") from None


def sequence_of(name: str) -> Sequence | None:
    """The sequence a vendor's name, such as "*svs_se_30" or "PRESS PAR 35", means; None where unknown."""
    return next((sequence for part, sequence in SEQUENCES.items() if part in _plain(name)), None)


def _plain(name: str) -> str:
    return "".join(each for each in name.lower() if each.isalnum())


def _check(name: str, value: float | None, limits: tuple[float, float], *, unit: str) -> None:
    low, high = limits
    if value is None or low <= value <= high:
        return
    factors = () if unit == "ppm" else (1000.0, 1e-3, 1e-6)
    likely = [f"{value * factor:g}" for factor in factors if low <= value * factor <= high]
    hint = f"the unit may be wrong: give {name} = {likely[0]}, if so" if likely else f"give {name}"
    raise SpecimenError(f"got {name} = {value:g}, wanted {low:g} to {high:g} {unit}; {hint}")
