"""Patients: diagnosis, table and true concentrations of phantom patients with cirrhosis by hepatitis B."""

from dataclasses import dataclass

import numpy as np

from hepatica.cohort.streams import generator
from hepatica.spectroscopy.phantom.settings import STANDARD, PhantomSettings
from hepatica.spectroscopy.signal.targets import LIPIDS5

PATIENT_COLUMNS = ("patient_id", "age_years", "sex", "hcc", "child_pugh")
"""What the cohort tells: the columns of patients.csv."""

RAISED = ("Cho", "GPC", "PCh")
"""What rises with HCC beside the lipids; they rise and fall together between patients, too."""


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One row of the table, and the concentrations in mM by name."""

    row: dict[str, str | int | float]
    concentrations: dict[str, float]


def simulate_patients(
    patients: int,
    *,
    seed: int = 0,
    difficulty: float = 0.5,
    hospital: str = "A",
    settings: PhantomSettings = STANDARD,
) -> list[Patient]:
    """All patients of a cohort; exactly the share with HCC that the settings say, rounded."""
    shuffled = generator(seed, hospital, "diagnoses").permutation(patients)
    with_hcc = shuffled < round(settings.hcc_share * patients)
    effect = settings.effect_sd * (1 - difficulty)
    return [
        _patient(
            generator(seed, hospital, "patient", number),
            f"{hospital}-{number + 1:04d}",
            hcc=bool(hcc),
            raised_sd=effect * hcc,
            settings=settings,
        )
        for number, hcc in enumerate(with_hcc)
    ]


def _patient(
    rng: np.random.Generator, patient_id: str, *, hcc: bool, raised_sd: float, settings: PhantomSettings
) -> Patient:
    row: dict[str, str | int | float] = {
        "patient_id": patient_id,
        "age_years": round(float(np.clip(rng.normal(settings.age_mean, settings.age_sd), 25, 85))),
        "sex": "male" if rng.random() < settings.male_share else "female",
        "hcc": int(hcc),
        "child_pugh": "ABC"[int(rng.choice(3, p=settings.child_pugh))],
    }
    metabolites = _metabolites(rng, raised_sd=raised_sd, settings=settings)
    return Patient(row=row, concentrations=metabolites | _lipids(rng, raised_sd=raised_sd, settings=settings))


def _metabolites(rng: np.random.Generator, *, raised_sd: float, settings: PhantomSettings) -> dict[str, float]:
    together = rng.standard_normal()
    found = {}
    for name, median in settings.medians_mm.items():
        own = rng.standard_normal()
        if name in RAISED:
            own = raised_sd + np.sqrt(settings.shared) * together + np.sqrt(1 - settings.shared) * own
        found[name] = float(median * np.exp(settings.between_sd * own))
    return found


def _lipids(rng: np.random.Generator, *, raised_sd: float, settings: PhantomSettings) -> dict[str, float]:
    """One triglyceride, from which each line strays."""
    protons = settings.pdff_percent / 100 * 2 * settings.liver.water_mm
    logarithm = np.log(protons / settings.triglyceride_protons)
    logarithm += settings.fat_sd * (raised_sd + rng.standard_normal())
    return {name: float(np.exp(logarithm + settings.lipid_sd * rng.standard_normal())) for name in LIPIDS5}
