"""Quality: what a preprocessed spectrum is worth: signal to noise, linewidth, what is left of water, lipids."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepatica.spectroscopy.eddy_current import only_water
from hepatica.spectroscopy.noise import noise_sd
from hepatica.spectroscopy.peaks import tallest, width_hz
from hepatica.spectroscopy.ppm_align import CHO_PPM, LIP13_PPM
from hepatica.spectroscopy.spectrum import Spectrum

_NEAR_PPM = 0.15  # ours: around choline and Lip13
_RESIDUAL_PPM = (4.3, 5.0)
_WINDOW_PPM, _LIPIDS_PPM = (0.4, 4.2), (0.7, 1.8)
_BASELINE = 10.0  # ours: percentile of the window that counts as the pedestal lines stand on


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Numbers of one spectrum.

    `snr`: the higher of choline's and Lip13's peak, above the 10th percentile of 0.4 to 4.2 ppm, over the SD of the
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
    height, where = _highest(spectrum)
    inside = tallest(fid, *_WINDOW_PPM, acquisition=acquisition).height
    moduli = [_modulus(spectrum, *region) for region in (_LIPIDS_PPM, _WINDOW_PPM)]
    return Quality(
        snr=height / noise_sd(fid, acquisition=acquisition),
        linewidth_hz=_linewidth(spectrum, where),
        water_residual=tallest(fid, *_RESIDUAL_PPM, acquisition=acquisition).height / inside,
        lipid=moduli[0] / moduli[1],
    )


def _highest(spectrum: Spectrum) -> tuple[float, float]:
    """Height above the pedestal and ppm of the higher of choline and Lip13; what is a flank counts if nothing else."""
    ranges = [(place - _NEAR_PPM, place + _NEAR_PPM) for place in (CHO_PPM, LIP13_PPM)]
    peaks = [tallest(spectrum.fid, *near, acquisition=spectrum.acquisition, part=np.real) for near in ranges]
    highest = max(peaks, key=lambda peak: (not peak.edge, peak.height))
    return highest.height - _pedestal(spectrum), highest.ppm


def _pedestal(spectrum: Spectrum) -> float:
    return float(np.percentile(spectrum.values.real[_within(spectrum, *_WINDOW_PPM)], _BASELINE))


def _modulus(spectrum: Spectrum, low: float, high: float) -> float:
    return float(np.abs(spectrum.values[_within(spectrum, low, high)]).sum())


def _within(spectrum: Spectrum, low: float, high: float) -> NDArray[np.bool_]:
    ppm = spectrum.acquisition.ppm
    return np.asarray((ppm > low) & (ppm < high))


def _linewidth(spectrum: Spectrum, peak_ppm: float) -> float:
    acquisition = spectrum.acquisition
    if spectrum.water is None:
        return width_hz(spectrum.fid, peak_ppm, acquisition=acquisition, pedestal=_pedestal(spectrum))
    water = only_water(spectrum.water, acquisition=acquisition)
    top = tallest(water, *acquisition.ppm[[0, -1]], acquisition=acquisition).ppm
    return width_hz(water * np.exp(-1j * np.angle(water[0])), top, acquisition=acquisition)
