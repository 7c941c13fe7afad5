"""Water scaling: concentrations in mM from the unsuppressed water, with corrections for relaxation and fat."""

from dataclasses import dataclass

import numpy as np

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.spectroscopy.preprocessing.eddy_current import only_water
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import GYROMAGNETIC_MHZ_PER_T
from hepatica.spectroscopy.signal.spectrum import Signal, Spectrum

_PROTONS = 2  # of water


@dataclass(frozen=True, kw_only=True)
class WaterScaling:
    """What is assumed of the liver; `of_field` gives it for a magnet. Change it for another organ or a measured value.

    `water_mm`: water in lean liver, mmol per litre of tissue: 55.5 mol/kg times 0.71 kg/kg times 1.05 kg/L (ours).
    `pdff`: proton density fat fraction of the voxel, 0 to 1, which leaves that much less water; 0 unless measured.
    T1 and T2 in ms, at 3 T: water of liver 809 and 34, lipids as of subcutaneous fat 382 and 68; at 1.5 T 586 and 46,
    343 and 58 (de Bazelaire et al. 2004, doi:10.1148/radiol.2303021331); metabolites ours, at both fields, of the order
    of what studies of the brain report. How sure they are is in RELAXATION_SD.
    """

    water_mm: float = 41_400.0
    pdff: float = 0.0
    t1_water_ms: float = 809.0
    t2_water_ms: float = 34.0
    t1_metabolites_ms: float = 1100.0
    t2_metabolites_ms: float = 100.0
    t1_lipids_ms: float = 382.0
    t2_lipids_ms: float = 68.0

    def __post_init__(self) -> None:
        times = [getattr(self, name) for name in self.__dataclass_fields__ if name.startswith(("t1_", "t2_"))]
        if not (0 <= self.pdff < 1 and self.water_mm > 0 and all(time > 0 for time in times)):
            raise SettingsError(
                f"got water of {self.water_mm:g} mM, a PDFF of {self.pdff:g} and relaxation times {times}; wanted a"
                " fraction from 0 to below 1 and numbers above 0"
            )


WATER_SCALING = WaterScaling()
AT_1_5_T = WaterScaling(t1_water_ms=586.0, t2_water_ms=46.0, t1_lipids_ms=343.0, t2_lipids_ms=58.0)

NEAR_T = 0.15
"""Share by which a field may differ from one of known relaxation times without a note (ours): 2.89 T counts as 3."""


def of_field(f0_mhz: float) -> tuple[WaterScaling, tuple[str, ...]]:
    """What is assumed of the liver in a magnet of that proton frequency; a note where that field is not known."""
    field = f0_mhz / GYROMAGNETIC_MHZ_PER_T
    known, found = min(((1.5, AT_1_5_T), (3.0, WATER_SCALING)), key=lambda each: abs(np.log(field / each[0])))
    far = abs(field / known - 1) > NEAR_T
    return found, (f"mM were corrected by the relaxation times of {known:g} T, not {field:.2g} T",) if far else ()


@dataclass(frozen=True, kw_only=True)
class Scale:
    """mM in the voxel for each unit of concentration fitted with a basis of 1 mM without relaxation."""

    metabolites: float
    lipids: float


def water_scale(spectrum: Spectrum, *, settings: WaterScaling = WATER_SCALING) -> Scale:
    """The factors from what a fit gives to mM, by the water reference of the same voxel, gain and coils.

    c = fitted · 2 [W] (1 - PDFF) R_water / (A_water R), R = (1 - exp(-TR / T1)) exp(-TE / T2) (Gasparovic et al. 2006,
    doi:10.1002/mrm.20901, of one compartment); A_water is the water's first sample, its fat left out, R_water by the
    reference's own TE and TR. SpecimenError where there is no water reference or no TR.
    """
    if spectrum.water is None:
        raise SpecimenError("there is no water reference: concentrations stay relative; give the unsuppressed file")
    acquisition = spectrum.acquisition
    if acquisition.tr_ms is None:
        raise SpecimenError("the repetition time is unknown, which the correction for T1 needs; give tr_ms")
    amplitude = water_amplitude(spectrum.water, acquisition=acquisition)
    own = spectrum.water_acquisition or acquisition
    of_water = _relaxed(own, t1=settings.t1_water_ms, t2=settings.t2_water_ms)
    unit = _PROTONS * settings.water_mm * (1 - settings.pdff) * of_water / amplitude
    return Scale(
        metabolites=unit / _relaxed(acquisition, t1=settings.t1_metabolites_ms, t2=settings.t2_metabolites_ms),
        lipids=unit / _relaxed(acquisition, t1=settings.t1_lipids_ms, t2=settings.t2_lipids_ms),
    )


CONTENT_SD = 0.07
"""SD of the water content, fat included, as a share of it (ours)."""

RELAXATION_SD = {"water": 0.07, "metabolites": 0.25, "lipids": 0.20}
"""SD of T1 and of T2 of each kind, as a share of them (ours): between livers, and of what is known of metabolites."""


def unknown_shares(
    acquisition: Acquisition, *, water: Acquisition | None = None, settings: WaterScaling = WATER_SCALING
) -> tuple[float, float, float]:
    """SD, as shares of mM, of all values, and beyond it of metabolites and of lipids, each by one factor: they grow
    with TE / T2, and with what TR leaves saturated. `water` is the reference's own acquisition, where it has one.
    """
    every, metabolites, lipids = (
        sd * _sensitivity(own, t1=getattr(settings, f"t1_{kind}_ms"), t2=getattr(settings, f"t2_{kind}_ms"))
        for (kind, sd), own in zip(RELAXATION_SD.items(), (water or acquisition, acquisition, acquisition), strict=True)
    )
    return float(np.hypot(CONTENT_SD, every)), metabolites, lipids


def _sensitivity(acquisition: Acquisition, *, t1: float, t2: float) -> float:
    """Of the log of what relaxation leaves, to shares of T1 and of T2 that are independent of each other."""
    saturated = (acquisition.tr_ms or np.inf) / t1
    by_t1 = saturated / np.expm1(saturated) if np.isfinite(saturated) else 0.0
    return float(np.hypot(acquisition.te_ms / t2, by_t1))


def water_amplitude(water: Signal, *, acquisition: Acquisition) -> float:
    """The water's signal at the echo, of its reference (points,): the modulus of a parabola, as Voigt lines have it,
    through the log of the first samples but the very first, which filters corrupt.
    """
    alone = np.abs(only_water(water, acquisition=acquisition))
    count = max(6, int(0.02 * acquisition.bandwidth_hz))  # ours: 20 ms
    place = np.arange(1, count)
    parabola = np.polyfit(place, np.log(np.maximum(alone[place], np.finfo(float).tiny)), 2)
    return float(np.exp(parabola[-1]))


def _relaxed(acquisition: Acquisition, *, t1: float, t2: float) -> float:
    recovered = 1 - np.exp(-(acquisition.tr_ms or np.inf) / t1)
    return float(recovered * np.exp(-acquisition.te_ms / t2))
