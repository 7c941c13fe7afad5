"""Quality: what a preprocessed spectrum is worth: signal to noise, linewidth, what is left of water, lipids."""

from dataclasses import dataclass

import numpy as np

from hepatica.spectroscopy.preprocessing.eddy_current import only_water
from hepatica.spectroscopy.preprocessing.ppm_align import CHO_PPM, LIP13_PPM
from hepatica.spectroscopy.signal.peaks import Peak, tallest, width_hz
from hepatica.spectroscopy.signal.spectrum import Spectrum

_NEAR_PPM = 0.15  # ours: around choline and Lip13
_RESIDUAL_PPM = (4.3, 5.0)
_WINDOW_PPM, _LIPIDS_PPM = (0.4, 4.2), (0.7, 1.8)
_BESIDE_PPM = 0.4  # ours: how far from a peak its pedestal is looked for


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Numbers of one spectrum.

    `snr`: the higher of choline's and Lip13's peak, above its pedestal, over the SD of the
    real part's noise. `linewidth_hz`: full width at
    half maximum of the water reference, without one of the higher of those peaks. `water_residual`: highest point from
    4.3 to 5.0 ppm over highest point from 0.4 to 4.2. `lipid`: share of the modulus from 0.4 to 4.2 ppm that lies from
    0.7 to 1.8.
    """

    snr: float
    linewidth_hz: float
    water_residual: float
    lipid: float


def quality(spectrum: Spectrum) -> Quality:
    """Quality of a preprocessed spectrum: water taken off, ppm axis put right, in phase."""
    acquisition, fid = spectrum.acquisition, spectrum.fid
    peak = _highest(spectrum)
    pedestal = _pedestal(spectrum, peak.ppm)
    inside = tallest(fid, *_WINDOW_PPM, acquisition=acquisition).height
    return Quality(
        snr=(peak.height - pedestal) / spectrum.noise_sd,
        linewidth_hz=_linewidth(spectrum, peak.ppm, pedestal=pedestal),
        water_residual=tallest(fid, *_RESIDUAL_PPM, acquisition=acquisition).height / inside,
        lipid=_modulus(spectrum, *_LIPIDS_PPM) / _modulus(spectrum, *_WINDOW_PPM),
    )


def _highest(spectrum: Spectrum) -> Peak:
    """The higher of choline's and Lip13's real peak; what is a flank counts if nothing else."""
    ranges = [(place - _NEAR_PPM, place + _NEAR_PPM) for place in (CHO_PPM, LIP13_PPM)]
    peaks = [tallest(spectrum.fid, *near, acquisition=spectrum.acquisition, part=np.real) for near in ranges]
    return max(peaks, key=lambda peak: (not peak.edge, peak.height))


def _pedestal(spectrum: Spectrum, ppm: float) -> float:
    """The pedestal of a peak: the mean of the lowest real values at both its sides."""
    sides = ((ppm - _BESIDE_PPM, ppm), (ppm, ppm + _BESIDE_PPM))
    return float(np.mean([spectrum.values.real[spectrum.acquisition.within(*side)].min() for side in sides]))


def _modulus(spectrum: Spectrum, low: float, high: float) -> float:
    return float(np.abs(spectrum.values[spectrum.acquisition.within(low, high)]).sum())


def _linewidth(spectrum: Spectrum, peak_ppm: float, *, pedestal: float) -> float:
    acquisition = spectrum.acquisition
    if spectrum.water is None:
        return width_hz(spectrum.fid, peak_ppm, acquisition=acquisition, pedestal=pedestal)
    water = only_water(spectrum.water, acquisition=acquisition)
    top = tallest(water, *acquisition.ppm[[0, -1]], acquisition=acquisition).ppm
    return width_hz(water * np.exp(-1j * np.angle(water[0])), top, acquisition=acquisition)
