"""Raw: the decays of a file as the scanner gave them, every transient and coil, before anything is done to them."""

from dataclasses import dataclass

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Signal

_LOST = 0.01  # ours: share of points that may be exactly 0 before the last that is not


@dataclass(frozen=True, kw_only=True, eq=False)
class RawSpectra:
    """Decays (transients, coils, points) of one voxel in hepatica's convention, and of its water reference, if any.

    `averages` is how many transients the scanner added up in each of `fids`, None where the file does not tell.
    Raises SpecimenError on decays that are no numbers, all zero or zero in their midst, or of another length than their
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
        """Transients in all, those that the scanner added up included; None where the file does not tell."""
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
            f"{lost} points in the midst of the {name} are zero: samples were lost; export it again, or leave it out"
        )
