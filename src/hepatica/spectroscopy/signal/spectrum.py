"""Spectrum: one voxel's signal after preprocessing, as every quantifier and network takes it."""

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

    `averages` is how many transients went in, `notes` what was done and what was noticed, in words for the user.
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
