"""Brain fit: least squares with LCModel's macromolecules and soft constraints, and a baseline of adaptive stiffness."""

import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.fitting.fit import Fit
from hepatica.spectroscopy.fitting.least_squares import nls
from hepatica.spectroscopy.fitting.prior_terms import Ratio, SoftConstraints
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Spectrum, to_spectrum

BRAIN_WINDOW_PPM = (0.2, 4.0)
"""LCModel's PPMEND and PPMST of a brain."""

BRAIN_SPLINES, BRAIN_FREEDOM = 16, 6.0
"""Splines, and what they may bend (ours): as stiff as LCModel's own choice usually is."""

PHASE_PER_PPM = np.deg2rad(20.0 / 3)
"""How far the first-order phase strays from 0, rad per ppm (ours, after LCModel's SDDEGP)."""

CREATINE_PPM, CREATINE_PROTONS = 3.027, 3
"""The CH3 of creatine, whose area gives the height of one proton in a basis, as in LCModel (WSPPM, N1HMET)."""

WITHIN_PPM, DAMPED_HZ = 0.4, 10.0
"""How far from there the area is taken, and how much the lines are broadened for it (ours)."""


def brain_model(basis: Basis, *, freedom: float = BRAIN_FREEDOM) -> SignalModel:
    """A model of the basis with the lines of macromolecules.toml; SettingsError where it has no Cr to scale them by.

    A spectrum with residual water or spurious echoes needs more `freedom` of its baseline, up to BRAIN_SPLINES.
    """
    return SignalModel(
        basis=with_macromolecules(basis), window_ppm=BRAIN_WINDOW_PPM, splines=BRAIN_SPLINES, freedom=freedom
    )


def with_macromolecules(basis: Basis) -> Basis:
    """The basis with those components of macromolecules.toml that it lacks, each proton as high as one of its Cr."""
    if "Cr" not in basis.names:
        raise SettingsError(f"the basis has no Cr to scale protons by; it has {', '.join(basis.names)}")
    proton = _proton(basis)
    added = {name: row for name, row in _table()["components"].items() if name not in basis.names}
    fids = [proton * sum(_line(line, basis.acquisition) for line in row["lines"]) for row in added.values()]
    return Basis(names=(*basis.names, *added), fids=np.vstack([basis.fids, *fids]), acquisition=basis.acquisition)


def brain_constraints(*, f0_mhz: float) -> SoftConstraints:
    """LCModel's soft constraints of a brain: shifts, the Lorentzian width, the phase, and ratios to others."""
    table = _table()
    metabolites, sums = table["metabolites"], table["sums"]
    own = {name: row["shift_sd_ppm"] for name, row in table["components"].items()} | metabolites["own_shift_sd_ppm"]
    broadening = metabolites["broadening_per_s"]
    return SoftConstraints(
        shift_sd_hz=metabolites["shift_sd_ppm"] * f0_mhz,
        own_shift_sd_hz={name: sd * f0_mhz for name, sd in own.items()},
        shared={
            "lorentz_hz": (broadening["mean"] / np.pi, broadening["sd"] / np.pi),
            "phase1": (0.0, PHASE_PER_PPM),
        },
        ratios=tuple(
            Ratio(of=name, to=sums.get(row["to"], {row["to"]: 1.0}), value=row["value"], sd=row["sd"])
            for name, row in table["ratios"].items()
        ),
    )


def _proton(basis: Basis) -> float:
    """First sample of one proton, by the area of CH3 and that of a line of 1 there."""
    acquisition = basis.acquisition
    one = np.exp(2j * np.pi * (CREATINE_PPM - acquisition.reference_ppm) * acquisition.f0_mhz * acquisition.time_s)
    decays = np.stack([basis.fids[basis.names.index("Cr")], one])
    spectra = to_spectrum(decays * np.exp(-np.pi * DAMPED_HZ * acquisition.time_s))
    area, unit = spectra[:, np.abs(acquisition.ppm - CREATINE_PPM) < WITHIN_PPM].real.sum(axis=1)
    return float(area / unit / CREATINE_PROTONS)


@cache
def _table() -> dict[str, Any]:
    text = files("hepatica.spectroscopy.fitting").joinpath("macromolecules.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _line(line: dict[str, float], acquisition: Acquisition) -> NDArray[np.complex128]:
    """(points,) of one line of `protons`."""
    time, f0 = acquisition.time_s, acquisition.f0_mhz
    gauss, lorentz = line["narrowest_ppm"] * f0, f0 * lorentzian(line["narrowest_ppm"], line["expected_ppm"])
    turning = 2j * np.pi * (line["ppm"] - acquisition.reference_ppm) * f0 * time
    damping = np.pi * lorentz * time + (np.pi * gauss * time) ** 2 / (4 * np.log(2))
    return np.asarray(line["protons"] * np.exp(turning - damping))


def lorentzian(gauss: float, total: float) -> float:
    """FWHM of the Lorentzian that broadens a Gaussian of FWHM `gauss` to `total`, 0 or more.

    By the Voigt width of Olivero and Longbothum 1977 (doi 10.1016/0022-4073(77)90161-3).
    """
    if total <= gauss:
        return 0.0
    return float(brentq(lambda width: 0.5346 * width + np.hypot(np.sqrt(0.2166) * width, gauss) - total, 0, total))


FREEDOMS = (BRAIN_FREEDOM, 8.0, 10.0, 12.0, 14.0)
"""What the baseline may bend, the stiffest first (ours): it is taken where the spectrum allows, as LCModel does."""

MOST_LEFT = 3.0
"""Times the noise that a fit may leave before its baseline is freed (ours). LCModel's own test leaves 1.6 times;
lipids from outside the voxel, in Osprey's example, 5.8 times: choline and NAA then move to where they do not belong."""


def brain_fit(spectrum: Spectrum, *, basis: Basis) -> tuple[Fit, float]:
    """The fit with the stiffest baseline that leaves less than MOST_LEFT times the noise, or with the loosest.

    `basis` has the acquisition of the spectrum. Also how many times the measured noise the fit leaves. Raises
    SettingsError where the basis has no Cr or the window has too few points.
    """
    constraints = brain_constraints(f0_mhz=basis.acquisition.f0_mhz)
    for freedom in FREEDOMS:
        model = _model(basis, freedom)
        fit = nls(model.window(spectrum.values)[None], model=model, constraints=constraints)
        left = float(fit.noise_sd[0] / spectrum.noise_sd)
        if left < MOST_LEFT:
            break
    return fit, left


@lru_cache(maxsize=len(FREEDOMS))
def _model(basis: Basis, freedom: float) -> SignalModel:
    """Kept for the next spectrum, with the grid that fits begin with."""
    return brain_model(basis, freedom=freedom)
