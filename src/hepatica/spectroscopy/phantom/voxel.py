"""Voxel: concentrations of one phantom patient, raised with HCC, and the decays a perfect receiver has of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.phantom import Patient
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.phantom.settings import Hospital, PhantomSettings
from hepatica.spectroscopy.signal.spectrum import to_spectrum
from hepatica.spectroscopy.signal.targets import LIPIDS5
from hepatica.spectroscopy.simulation.simulate import PEAKS_PPM

Signal = NDArray[np.complex128]

RAISED = ("Cho", "GPC", "PCh")
"""What rises with HCC beside the lipids; they rise and fall together between patients, too."""


def concentrations(patient: Patient, *, difficulty: float, settings: PhantomSettings) -> dict[str, float]:
    """mM by name; how much HCC raises them shrinks with the difficulty, and nothing else depends on it."""
    rng, raised_sd = patient.stream("concentrations"), settings.effect_sd * (1 - difficulty) * patient.tumour.hcc
    return _metabolites(rng, raised_sd, settings) | _lipids(rng, raised_sd, settings)


def _metabolites(rng: np.random.Generator, raised_sd: float, settings: PhantomSettings) -> dict[str, float]:
    together = rng.standard_normal()
    found = {}
    for name, median in settings.medians_mm.items():
        own = rng.standard_normal()
        if name in RAISED:
            own = raised_sd + np.sqrt(settings.shared) * together + np.sqrt(1 - settings.shared) * own
        found[name] = float(median * np.exp(settings.between_sd * own))
    return found


def _lipids(rng: np.random.Generator, raised_sd: float, settings: PhantomSettings) -> dict[str, float]:
    """One triglyceride, from which each line strays."""
    protons = settings.pdff_percent / 100 * 2 * settings.liver.water_mm
    logarithm = np.log(protons / settings.triglyceride_protons)
    logarithm += settings.fat_sd * (raised_sd + rng.standard_normal())
    return {name: float(np.exp(logarithm + settings.lipid_sd * rng.standard_normal())) for name in LIPIDS5}


_STRAY_SD = 0.15
"""Of the logarithm of widths and noise between patients of a hospital. Ours."""

_SHIFT_SD_HZ = 0.5
_COMMON_SD_HZ = 3.0
_BROAD = 4
_BROAD_PPM = (0.5, 4.0)
_BROAD_SD_PPM = (0.2, 0.6)
_BROAD_HEIGHT = 0.15
"""Of the usual tCho peak, the median of what is broad below the peaks. Ours."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Voxel:
    """`suppressed` and `water` (points,) in mM of protons, `noise_sd` of the real part of a sample of their mean.

    `nuisance` tells what was drawn, by name.
    """

    suppressed: Signal
    water: Signal
    noise_sd: float
    nuisance: dict[str, float]


def draw_voxel(
    rng: np.random.Generator,
    mm: Mapping[str, float],
    *,
    basis: Basis,
    hospital: Hospital,
    settings: PhantomSettings,
) -> Voxel:
    """The signal of a liver of these concentrations; what is drawn does not depend on them."""
    strays = np.exp(_STRAY_SD * rng.standard_normal(3))
    nuisance = {
        "lorentz_hz": hospital.lorentz_hz * strays[0],
        "gauss_hz": hospital.gauss_hz * strays[1],
        "snr": hospital.snr * strays[2],
        "common_hz": _COMMON_SD_HZ * rng.standard_normal(),
        "water_left": hospital.water_left * np.exp(0.5 * rng.standard_normal()),
        "baseline_height": _BROAD_HEIGHT * np.exp(0.3 * rng.standard_normal()),
    }
    clean = _components(rng, mm, basis=basis, nuisance=nuisance, settings=settings)
    top = _usual_peak(basis=basis, nuisance=nuisance, settings=settings)
    water = _water(mm, basis=basis, nuisance=nuisance, settings=settings)
    left = nuisance["water_left"] * np.exp(2j * np.pi * rng.random()) * water
    broad = top * nuisance["baseline_height"] * _broad(rng, basis=basis)
    points = basis.acquisition.points
    return Voxel(
        suppressed=clean + left + broad,
        water=water + clean,
        noise_sd=top / nuisance["snr"] / np.sqrt(points),
        nuisance={name: float(value) for name, value in nuisance.items()},
    )


def _components(
    rng: np.random.Generator,
    mm: Mapping[str, float],
    *,
    basis: Basis,
    nuisance: dict[str, float],
    settings: PhantomSettings,
) -> Signal:
    time = basis.acquisition.time_s
    shift = _SHIFT_SD_HZ * rng.standard_normal(len(basis.names))
    seen = [_seen("lipids" if name in LIPIDS5 else "metabolites", settings) for name in basis.names]
    size = np.array([mm[name] for name in basis.names]) * seen
    own = size[:, None] * np.exp(2j * np.pi * shift[:, None] * time)
    return np.asarray((own * basis.fids).sum(axis=0) * _shape(basis, nuisance))


def _seen(kind: str, settings: PhantomSettings) -> float:
    """What relaxation leaves of water, metabolites or lipids."""
    t1, t2 = getattr(settings.liver, f"t1_{kind}_ms"), getattr(settings.liver, f"t2_{kind}_ms")
    return float((1 - np.exp(-settings.tr_ms / t1)) * np.exp(-settings.te_ms / t2))


def _shape(basis: Basis, nuisance: dict[str, float]) -> Signal:
    time = basis.acquisition.time_s
    damping = np.pi * nuisance["lorentz_hz"] * time + (np.pi * nuisance["gauss_hz"] * time) ** 2 / (4 * np.log(2))
    return np.asarray(np.exp(2j * np.pi * nuisance["common_hz"] * time - damping))


def _water(mm: Mapping[str, float], *, basis: Basis, nuisance: dict[str, float], settings: PhantomSettings) -> Signal:
    """At the receiver's shift, but for the shift of all; fat takes the place of as many protons."""
    fat = float(np.mean([mm[name] for name in LIPIDS5])) * settings.triglyceride_protons
    protons = 2 * settings.liver.water_mm - fat
    return np.asarray(protons * _seen("water", settings) * _shape(basis, nuisance))


def _broad(rng: np.random.Generator, *, basis: Basis) -> Signal:
    """The decay of broad Gaussians whose spectrum is about 1 high."""
    acquisition = basis.acquisition
    hz = (rng.uniform(*_BROAD_PPM, _BROAD) - acquisition.reference_ppm) * acquisition.f0_mhz
    sd = rng.uniform(*_BROAD_SD_PPM, _BROAD) * acquisition.f0_mhz
    height = rng.uniform(0.3, 1, _BROAD) * sd * np.sqrt(2 * np.pi) / acquisition.bandwidth_hz
    time = acquisition.time_s
    return np.asarray(
        (height[:, None] * np.exp(2j * np.pi * hz[:, None] * time - (2 * np.pi * sd[:, None] * time) ** 2 / 2) * 2).sum(
            0
        )
    )


def _usual_peak(*, basis: Basis, nuisance: dict[str, float], settings: PhantomSettings) -> float:
    """Of tCho, in a liver of median concentrations: of the patient's own, noise and baseline would tell the choline."""
    median = np.array([settings.medians_mm.get(name, 0.0) for name in basis.names]) * _seen("metabolites", settings)
    usual = (median[:, None] * basis.fids).sum(axis=0) * _shape(basis, nuisance)
    low, high = PEAKS_PPM["tCho"]
    ppm = basis.acquisition.ppm - nuisance["common_hz"] / basis.acquisition.f0_mhz
    return float(to_spectrum(usual).real[(ppm > low) & (ppm < high)].max())
