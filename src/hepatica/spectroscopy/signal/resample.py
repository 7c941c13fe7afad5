"""Resample: a spectrum brought to the sampling of another acquisition, refused where physics would differ.

The filter of Siemens' RDA and DICOM answers ahead of the echo, and what it answers is wrapped round to the end of the
decay. A decay multiplied by times that only grow, or resampled with them, would have its whole spectrum distorted.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import czt

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Signal, Spectrum, to_fid

_LAST, _RISEN = 8, 4.0  # ours: the last eighth of a quarter, and times the power of the rest of it that it has


def wrapped(fid: Signal) -> int:
    """How many samples at the end of decays (…, points) belong before the first: a quarter where the end rises."""
    quarter = fid.shape[-1] // 4
    if quarter < _LAST:
        return 0
    power = np.abs(fid[..., fid.shape[-1] - quarter :]) ** 2
    before, last = np.split(power, [quarter - quarter // _LAST], axis=-1)
    return quarter if last.mean() > _RISEN * before.mean() else 0


def received_s(fid: Signal, *, acquisition: Acquisition) -> NDArray[np.float64]:
    """(points,) seconds from the first sample of decays (…, points), below 0 where they are wrapped round."""
    time, early = acquisition.time_s, wrapped(fid)
    return np.where(np.arange(len(time)) < len(time) - early, time, time - len(time) / acquisition.bandwidth_hz)


F0_TOLERANCE = 0.005
"""A field that differs by more changes strongly coupled multiplets and widths in ppm (ours): 3 T of one maker only."""

TE_TOLERANCE_MS = 1.0
"""An echo time that differs by more changes the phases of coupled spins (ours)."""

_SHORT = 0.9  # ours: of the wanted duration, below which a note says that zeros were added


def resampled(spectrum: Spectrum, *, acquisition: Acquisition) -> Spectrum:
    """The spectrum with the bandwidth, points, field and reference of `acquisition`: the same lines at the same ppm.

    The values at the wanted frequencies are those of the decay's Fourier transform itself, nothing is interpolated;
    beyond the given band they are 0. Amplitudes stay. The noise is that of the given decay: neither zeros that were
    added nor an empty band make it less. Raises SpecimenError where the field, echo or mixing time or the sequence
    differ.
    """
    _check_physics(spectrum.acquisition, acquisition)
    given, ours = spectrum.acquisition, replace(acquisition, tr_ms=spectrum.acquisition.tr_ms)
    if _same_sampling(given, acquisition):
        return replace(spectrum, acquisition=ours)
    duration, wanted = given.points / given.bandwidth_hz, acquisition.points / acquisition.bandwidth_hz
    short = (f"the decay lasts {duration:.2f} of {wanted:.2f} s: zeros were added",)
    scale = (acquisition.bandwidth_hz / acquisition.f0_mhz) * (given.f0_mhz / given.bandwidth_hz)
    kept = wanted * acquisition.f0_mhz / given.f0_mhz / duration
    return replace(
        spectrum,
        fid=_brought(spectrum.fid, given, acquisition),
        water=None if spectrum.water is None else _brought(spectrum.water, given, acquisition),
        acquisition=ours,
        notes=(*spectrum.notes, *(short if duration < _SHORT * wanted else ())),
        measured_noise_sd=spectrum.noise_sd * scale * float(np.sqrt(kept)),
    )


def _check_physics(given: Acquisition, wanted: Acquisition) -> None:
    """Raise SpecimenError where multiplets would differ."""
    steam = given.sequence == wanted.sequence == "steam"
    mixing = abs((given.tm_ms or 0) - (wanted.tm_ms or 0)) if steam else 0.0
    differences = []
    if abs(given.f0_mhz / wanted.f0_mhz - 1) > F0_TOLERANCE:
        differences.append(f"at {given.f0_mhz:.2f} MHz, not {wanted.f0_mhz:.2f}")
    if max(abs(given.te_ms - wanted.te_ms), mixing) > TE_TOLERANCE_MS:
        times = f"with TE {given.te_ms:g} ms, not {wanted.te_ms:g}"
        differences.append(f"{times}, TM {given.tm_ms}, not {wanted.tm_ms}" if steam else times)
    if given.sequence != wanted.sequence:
        differences.append(f"by {given.sequence}, not {wanted.sequence}")
    if differences:
        raise SpecimenError(
            f"acquired {' and '.join(differences)}: multiplets differ there; use a basis, or a run that was"
            " trained on spectra, of this acquisition, or correct the file where its header is wrong"
        )


def _same_sampling(given: Acquisition, wanted: Acquisition) -> bool:
    names = ("f0_mhz", "bandwidth_hz", "points", "reference_ppm")
    return all(getattr(given, name) == getattr(wanted, name) for name in names)


def _brought(fid: Signal, given: Acquisition, wanted: Acquisition) -> Signal:
    """The decay (wanted points,) whose spectrum has, at each wanted ppm, the value of the given decay's."""
    hz = (wanted.ppm - given.reference_ppm) * given.f0_mhz
    seconds = wanted.points / wanted.bandwidth_hz * wanted.f0_mhz / given.f0_mhz
    early = wrapped(fid)
    after = np.array(fid[: len(fid) - early])
    kept = after[: max(2, round(seconds * given.bandwidth_hz))]  # what lasts longer would be folded in
    kept[0] *= 0.5
    values = _transformed(kept, hz, bandwidth_hz=given.bandwidth_hz)
    if early:
        turn = np.exp(2j * np.pi * hz * early / given.bandwidth_hz)
        values += turn * _transformed(fid[-early:], hz, bandwidth_hz=given.bandwidth_hz)
    values[np.abs(hz) > given.bandwidth_hz / 2] = 0
    return to_fid(values * (wanted.bandwidth_hz / wanted.f0_mhz * given.f0_mhz / given.bandwidth_hz))


def _transformed(samples: Signal, hz: NDArray[np.float64], *, bandwidth_hz: float) -> Signal:
    """The Fourier transform of samples from time 0 at evenly spaced frequencies."""
    step = np.exp(-2j * np.pi * (hz[1] - hz[0]) / bandwidth_hz)
    return np.asarray(czt(samples, len(hz), step, np.exp(2j * np.pi * hz[0] / bandwidth_hz)))
