"""Brain fit: a brain's spectrum by least squares, its baseline as stiff as what lies below its lines allows."""

from functools import lru_cache

from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.fitting.fit import Fit
from hepatica.spectroscopy.fitting.macromolecules import BRAIN_FREEDOM, brain_held, brain_model
from hepatica.spectroscopy.fitting.nls import nls
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.signal.noise import noise_sd
from hepatica.spectroscopy.signal.spectrum import Spectrum

FREEDOMS = (BRAIN_FREEDOM, 8.0, 10.0, 12.0, 14.0)
"""What the baseline may bend, the stiffest first (ours): it is taken where the spectrum allows, as LCModel does."""

MOST_LEFT = 3.0
"""Times the noise that a fit may leave before its baseline is freed (ours). LCModel's own test leaves 1.6 times;
lipids from outside the voxel, in Osprey's example, 5.8 times: choline and NAA then move to where they do not belong."""


def brain_fit(spectrum: Spectrum, *, basis: Basis) -> tuple[Fit, float]:
    """The fit with the stiffest baseline that leaves less than MOST_LEFT times the noise, or with the loosest.

    `basis` has the acquisition of the spectrum. Also how many times the measured noise the fit leaves. Raises
    SettingsError where the basis has no Cr or the window holds too few points.
    """
    measured = noise_sd(spectrum.fid, acquisition=spectrum.acquisition)
    held = brain_held(f0_mhz=basis.acquisition.f0_mhz)
    for freedom in FREEDOMS:
        model = _model(basis, freedom)
        fit = nls(model.window(spectrum.values)[None], model=model, held=held)
        left = float(fit.noise_sd[0] / measured)
        if left < MOST_LEFT:
            break
    return fit, left


@lru_cache(maxsize=len(FREEDOMS))
def _model(basis: Basis, freedom: float) -> SignalModel:
    """Kept for the next spectrum, with the grid that fits begin with."""
    return brain_model(basis, freedom=freedom)
