"""Settings: every number phantom spectra are made from: livers, acquisition, and the magnets of two hospitals."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hepatica.spectroscopy.fitting.water_scaling import WATER_SCALING, WaterScaling

_MEDIANS_MM = {
    "Ala": 1.0, "Bet": 2.5, "Cho": 0.8, "Cr": 0.6, "Glc": 5.0, "Gln": 4.0, "Glu": 3.5, "Gly": 1.2, "Glycg": 12.0,
    "GPC": 2.0, "GSH": 2.5, "Ins": 0.7, "Lac": 1.5, "PCh": 1.0, "Tau": 2.0,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PhantomSettings:
    """What phantom spectra are made from; ours.

    That choline and lipids rise in the liver around HCC is what Moon 2020 (doi 10.3390/jcm9030765) and Wang 2015 (doi
    10.1097/MD.0000000000001066) tell; how far is `effect_sd`, in standard deviations between patients, at difficulty 0;
    at difficulty 1 nothing rises. All else is the same in both classes.
    """

    # Concentrations
    medians_mm: Mapping[str, float] = field(default_factory=lambda: dict(_MEDIANS_MM))
    between_sd: float = 0.3  # of logarithms, between patients
    shared: float = 0.5  # share of that variance that choline, GPC and PCh have in common
    pdff_percent: float = 2.5  # median
    fat_sd: float = 0.5  # of the logarithm of the triglyceride
    lipid_sd: float = 0.15  # of the logarithm of each lipid, about the triglyceride
    effect_sd: float = 2.5

    # Acquisition: 3 T PRESS, times in milliseconds
    points: int = 1024
    bandwidth_hz: float = 2000.0
    te_ms: float = 35.0
    tr_ms: float = 2000.0
    transients: int = 32
    water_transients: int = 4
    coils: int = 2

    # The liver: its water and relaxation are what the scaling by water assumes by default
    liver: WaterScaling = WATER_SCALING
    triglyceride_protons: float = 102.86  # Hamilton 2011, doi 10.1002/nbm.1622


STANDARD = PhantomSettings()
"""The phantom of the demo, the docs and the tests."""


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
