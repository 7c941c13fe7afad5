"""Spectrum: the decays of one voxel, as the scanner gave them and after preprocessing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.signal.acquisition import Acquisition

Signal = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectrum:
    """A free induction decay (points,) and the unsuppressed water's (points,), if there is one, of one voxel.

    `averages` is how many transients went in, `notes` processing steps and warnings, in words for the user.
    Raises SpecimenError on samples that do not fit the acquisition or are no numbers.
    """

    fid: Signal
    acquisition: Acquisition
    water: Signal | None = None
    averages: int | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, fid in (("spectrum", self.fid), ("water reference", self.water)):
            if fid is None:
                continue
            if fid.shape != (self.acquisition.points,):
                raise SpecimenError(
                    f"the {name} has {fid.shape} points, wanted ({self.acquisition.points},): it is cut short or its"
                    " header is wrong"
                )
            if not np.isfinite(fid).all():
                raise SpecimenError(f"the {name} has {(~np.isfinite(fid)).sum()} points that are no numbers")

    @property
    def values(self) -> NDArray[Any]:
        """(points,) complex spectrum at `acquisition.ppm`; the first sample is halved, so that the baseline is flat."""
        return to_spectrum(self.fid)


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

    `averages` is how many transients the scanner added up in each of `fids`, None where unknown.
    Raises SpecimenError on decays that are no numbers, all zero or zero within, or of another length than their
    acquisition.
    """

    fids: Signal
    acquisition: Acquisition
    water: Signal | None = None
    averages: int | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, fids in (("spectrum", self.fids), ("water reference", self.water)):
            if fids is not None:
                _check(fids, name=name, points=self.acquisition.points)

    @property
    def transients(self) -> int | None:
        """Transients in all, those that the scanner added up included; None where unknown."""
        return None if self.averages is None else self.averages * len(self.fids)


def _check(fids: Signal, *, name: str, points: int) -> None:
    if fids.ndim != 3 or fids.shape[2] != points:
        raise SpecimenError(
            f"the {name} has axes of {fids.shape}, wanted transients, coils and {points} points: it is cut short or"
            " its header is wrong; export it again"
        )
    if not np.isfinite(fids).all():
        raise SpecimenError(
            f"the {name} has {(~np.isfinite(fids)).sum()} points that are no numbers; export it again, or leave the"
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
