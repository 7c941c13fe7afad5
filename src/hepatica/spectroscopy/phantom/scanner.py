"""Scanner: what a hospital's magnet and habits make of a spectrum: widths, noise, drift, residual water."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Hospital:
    """A scanner and how well it is shimmed; medians, about which patients stray.

    Widths are full widths at half maximum in Hz, `snr` the usual tCho peak over the noise of the averaged spectrum,
    `drift_hz` from the first transient to the last, `breathing_hz` the amplitude of the breath, `eddy_hz` of the eddy
    current at the first sample, `water_left` what suppression leaves of the water, `spoiled` the share of transients
    that motion spoils.
    """

    lorentz_hz: float
    gauss_hz: float
    snr: float
    drift_hz: float
    breathing_hz: float
    eddy_hz: float
    water_left: float
    spoiled: float


HOSPITALS: Mapping[str, Hospital] = {
    "A": Hospital(
        lorentz_hz=6, gauss_hz=12, snr=25, drift_hz=4, breathing_hz=2, eddy_hz=2, water_left=0.002, spoiled=0.05
    ),
    "B": Hospital(
        lorentz_hz=8, gauss_hz=17, snr=15, drift_hz=10, breathing_hz=3, eddy_hz=4, water_left=0.005, spoiled=0.10
    ),
}
"""The two hospitals of the phantom (ours): B shims worse, listens less long and drifts more."""
