"""Spectrum: the decays of one voxel, as the scanner gave them and after preprocessing, and their noise."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import UNKNOWN, Header

Signal = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectrum:
    """A free induction decay (points,) and the unsuppressed water's (points,), if there is one, of one voxel.

    `averages` is how many transients went in, `notes` processing steps and warnings, in words for the user.
    `water_acquisition` is that of the water, None where it is the spectrum's. `measured_noise_sd` is the noise of a
    decay that was resampled, measured before. Raises SpecimenError on samples that do not fit the acquisition or are no
    numbers.
    """

    fid: Signal
    acquisition: Acquisition
    water: Signal | None = None
    averages: int | None = None
    notes: tuple[str, ...] = ()
    water_acquisition: Acquisition | None = None
    measured_noise_sd: float | None = None

    def __post_init__(self) -> None:
        for name, fid in (("spectrum", self.fid), ("water reference", self.water)):
            if fid is None:
                continue
            if fid.shape != (self.acquisition.points,):
                raise SpecimenError(
                    f"the {name} has {fid.shape} points, wanted ({self.acquisition.points},): it is truncated or its"
                    " header is wrong"
                )
            if not np.isfinite(fid).all():
                raise SpecimenError(f"the {name} has {(~np.isfinite(fid)).sum()} points that are not numbers")

    @property
    def values(self) -> NDArray[Any]:
        """(points,) complex spectrum at `acquisition.ppm`; the first sample is halved, so that the baseline is flat."""
        return to_spectrum(self.fid)

    @cached_property
    def noise_sd(self) -> float:
        """SD of the noise in the real part of `values`, as white noise of a decay of that duration would have it."""
        if self.measured_noise_sd is not None:
            return self.measured_noise_sd
        return noise_sd(self.fid, acquisition=self.acquisition)


def to_spectrum(fid: NDArray[Any]) -> NDArray[Any]:
    """Spectra (…, points), rising in ppm, of decays (…, points), the first sample halved."""
    halved = fid.copy()
    halved[..., 0] *= 0.5
    return np.fft.fftshift(np.fft.fft(halved, axis=-1), axes=-1)


def to_fid(values: NDArray[Any]) -> NDArray[Any]:
    """The inverse of `to_spectrum`."""
    fid = np.fft.ifft(np.fft.ifftshift(values, axes=-1), axis=-1)
    fid[..., 0] *= 2
    return fid


_LOST = 0.01  # ours: share of points that may be exactly 0 before the last that is not


@dataclass(frozen=True, kw_only=True, eq=False)
class RawSpectra:
    """Decays (transients, coils, points) of one voxel in hepatica's convention, and of its water reference, if any.

    `averages` is how many transients the scanner added up in each of `fids`, None where unknown. `header` is the
    file's own, `water_acquisition` that of the water, None where it is the spectrum's. Raises SpecimenError on decays
    that are not numbers, all zero or zero within, or of another length than their acquisition.
    """

    fids: Signal
    acquisition: Acquisition
    water: Signal | None = None
    averages: int | None = None
    notes: tuple[str, ...] = ()
    header: Header = UNKNOWN
    water_acquisition: Acquisition | None = None

    @classmethod
    def of(cls, fids: Signal, header: Header, *, overrides: Header, **known: Any) -> Self:
        """Decays with the acquisition of a file's header, completed and corrected by the user's."""
        both = header.overridden_by(overrides)
        notes = (*known.pop("notes", ()), *both.notes)
        acquisition = both.acquisition(points=fids.shape[2])
        return cls(fids=fids, acquisition=acquisition, header=header, notes=notes, **known)

    def __post_init__(self) -> None:
        for name, fids in (("spectrum", self.fids), ("water reference", self.water)):
            if fids is not None:
                _check(fids, name=name, points=self.acquisition.points)

    def with_water(self, reference: "RawSpectra | None") -> Self:
        """The same with the decays of a water reference, and its times; None leaves it without."""
        if reference is None:
            return self
        return replace(self, water=reference.fids, water_acquisition=reference.acquisition)

    @property
    def transients(self) -> int | None:
        """Transients in all, those that the scanner added up included; None where unknown."""
        return None if self.averages is None else self.averages * len(self.fids)


def _check(fids: Signal, *, name: str, points: int) -> None:
    if fids.ndim != 3 or fids.shape[2] != points:
        raise SpecimenError(
            f"the {name} has axes of {fids.shape}, wanted transients, coils and {points} points: it is truncated or"
            " its header is wrong; export it again"
        )
    if not np.isfinite(fids).all():
        raise SpecimenError(
            f"the {name} has {(~np.isfinite(fids)).sum()} points that are not numbers; export it again, or leave the"
            " spectrum out"
        )
    there = np.asarray(fids.any(axis=(0, 1)))
    if not there.any():
        raise SpecimenError(f"all points of the {name} are zero: nothing was received; leave the spectrum out")
    lost = int((~there[: np.flatnonzero(there)[-1]]).sum())
    if lost > _LOST * points:
        raise SpecimenError(
            f"{lost} points within the {name} are zero: samples were lost; export it again, or leave it out"
        )


QUIET_PPM = ((-4.0, -0.5), (8.5, 12.0))
"""Where protons of tissue do not resonate, and tails of lines are straight (ours)."""

_EDGE = 0.05  # ours: of the band at each end, where scanners' filters fall off
_FEWEST = 16  # points a region must have
_EMPTY = 1e-6  # ours: of the highest point, below which a point was filtered away: no scanner has so little noise


def noise_sd(fid: Signal, *, acquisition: Acquisition) -> float:
    """SD of the noise in the real part of `to_spectrum(fid)`, of a decay (points,).

    Of the quieter of two regions, a parabola taken off; where the band has neither, of the last quarter of the decay,
    or, where software left a part of it empty and so rings there, by differences of the points that are left.
    """
    values = to_spectrum(fid)
    edge = int(len(fid) * _EDGE)
    kept = slice(edge, len(fid) - edge)
    there = np.abs(values[kept]) > _EMPTY * np.abs(values).max()
    spreads = [_spread(values[kept][there & acquisition.within(*region)[kept]]) for region in QUIET_PPM]
    found = [spread for spread in spreads if spread]
    if found:
        return min(found)
    if not there.all():
        return float(rough_noise(values[kept][there][None])[0])
    tail = fid[-max(_FEWEST, len(fid) // 4) :]
    return float(np.sqrt(np.mean(np.abs(tail - tail.mean()) ** 2) / 2 * len(fid)))


def _spread(values: Signal) -> float | None:
    """SD of real and imaginary part about a parabola; None of too few points."""
    if len(values) < _FEWEST:
        return None
    place = np.linspace(-1, 1, len(values))
    left = values - np.polynomial.polynomial.polyval(place, np.polynomial.polynomial.polyfit(place, values, 2))
    return float(np.sqrt(np.sum(np.abs(left) ** 2) / (2 * (len(values) - 3))))


def rough_noise(values: Signal) -> NDArray[np.float64]:
    """(n,) standard deviation of the noise of spectra (n, w), by their fourth differences, which peaks hardly have.

    The mean square of fourth differences of white noise is 70 times its variance.
    """
    apart = np.diff(values, n=4, axis=1)
    size = np.median(np.abs(np.concatenate([apart.real, apart.imag], axis=1)), axis=1)
    return np.asarray(1.4826 * size / np.sqrt(70))
