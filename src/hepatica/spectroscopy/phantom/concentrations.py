"""Concentrations: what a phantom patient's liver holds, in mM; choline and lipids are raised with HCC."""

import numpy as np

from hepatica.cohort.phantom import Patient
from hepatica.spectroscopy.phantom.settings import PhantomSettings
from hepatica.spectroscopy.signal.targets import LIPIDS5

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
