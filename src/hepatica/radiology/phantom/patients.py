"""Patients: diagnosis, pathology table and lesions of phantom patients.

Shares follow PhantomSettings. Among patients without HCC each kind of Table 1 of Wang 2021
(doi 10.1038/s41416-021-01511-w) has a share that grows with the root of its count in all three cohorts, so that small
cohorts hold rare kinds too (ours). The stage is that of AJCC, 8th edition, as far as size, number and invasion tell it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hepatica.cohort.streams import generator
from hepatica.radiology.phantom.lesions import LOOKS, Lesion
from hepatica.radiology.phantom.settings import STANDARD, PhantomSettings

NORMAL = "normal"
"""The kind of a patient without lesion."""

PATIENT_COLUMNS = (
    "patient_id", "age_years", "sex", "hcc", "kind", "tumour_size_cm", "tumour_number", "tnm_stage",
    "vascular_invasion", "metavir", "grade",
)  # fmt: skip
"""What the cohort tells: the columns of patients.csv; stage, invasion and grade of HCC only, METAVIR 0 to 4."""

_COUNTS = {
    "cholangiocarcinoma": 59, "metastasis": 271 + 5 + 205, "sarcoma": 9, "hemangioma": 1896 + 119 + 49,
    "focal nodular hyperplasia": 23 + 1, "angioleiomyolipoma": 16, "adenoma": 13, "abscess": 36 + 7 + 3,
    "cyst": 1097 + 36 + 16, "neuroendocrine": 24 + 18, NORMAL: 3421,
}  # fmt: skip
_MOST_LESIONS = 6
_LOG_SIZE_SD = 0.45
_SIZES_CM = (1.0, 11.0)


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One row of the table, and the lesions, the largest first."""

    row: dict[str, str | int | float | None]
    lesions: tuple[Lesion, ...]


def simulate(
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
    atypical_share = settings.atypical_share_when_hard * difficulty
    return [
        _patient(
            generator(seed, hospital, "patient", number),
            f"{hospital}-{number + 1:04d}",
            hcc=bool(hcc),
            atypical_share=atypical_share,
            settings=settings,
        )
        for number, hcc in enumerate(with_hcc)
    ]


def lesion_table(patients: list[Patient]) -> pd.DataFrame:
    """One row a lesion: `number` counts a patient's lesions from 1, in the order of the labels of the truth mask."""
    columns = ("patient_id", "number", "kind", "diameter_cm", "atypical", "gas")
    rows = [
        (patient.row["patient_id"], number, lesion.kind, lesion.diameter_cm, int(lesion.atypical), int(lesion.gas))
        for patient in patients
        for number, lesion in enumerate(patient.lesions, start=1)
    ]
    return pd.DataFrame(rows, columns=list(columns))


def _patient(
    rng: np.random.Generator, patient_id: str, *, hcc: bool, atypical_share: float, settings: PhantomSettings
) -> Patient:
    kind = "hcc" if hcc else _control_kind(rng)
    lesions = _lesions(rng, kind, atypical_share=atypical_share, settings=settings)
    age = rng.normal(settings.hcc_age_mean if hcc else settings.control_age_mean, settings.age_sd)
    male = rng.random() < (settings.hcc_male_share if hcc else settings.control_male_share)
    shares = settings.metavir_hcc if hcc else settings.metavir_control
    row: dict[str, str | int | float | None] = {
        "patient_id": patient_id,
        "age_years": round(float(np.clip(age, 18, 90))),
        "sex": "male" if male else "female",
        "hcc": int(hcc),
        "kind": kind,
        "tumour_size_cm": lesions[0].diameter_cm if lesions else None,
        "tumour_number": len(lesions),
        "metavir": int(rng.choice(len(shares), p=shares)),
    }
    return Patient(row=row | (_staging(rng, lesions, settings) if hcc else {}), lesions=lesions)


def _control_kind(rng: np.random.Generator) -> str:
    weights = np.sqrt(list(_COUNTS.values()))
    return list(_COUNTS)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def _lesions(
    rng: np.random.Generator, kind: str, *, atypical_share: float, settings: PhantomSettings
) -> tuple[Lesion, ...]:
    if kind == NORMAL:
        return ()
    look = LOOKS[kind]
    count = min(2 + int(rng.poisson(1)), _MOST_LESIONS) if rng.random() < look.several_share else 1
    largest = float(np.clip(look.median_cm * np.exp(_LOG_SIZE_SD * rng.standard_normal()), *_SIZES_CM))
    sizes = [
        largest,
        *(max(_SIZES_CM[0], largest * share) for share in np.sort(rng.uniform(0.25, 0.8, count - 1))[::-1]),
    ]
    atypical = kind == "hcc" and bool(rng.random() < atypical_share)
    gas = kind == "abscess" and bool(rng.random() < settings.gas_share)
    return tuple(
        Lesion(kind=kind, diameter_cm=round(float(size), 1), atypical=atypical, gas=gas and number == 0)
        for number, size in enumerate(sizes)
    )


def _staging(
    rng: np.random.Generator, lesions: tuple[Lesion, ...], settings: PhantomSettings
) -> dict[str, str | int | float | None]:
    large = lesions[0].diameter_cm > 5
    invasion = bool(rng.random() < settings.vascular_invasion_share * (2 if large else 1))
    spread = bool(rng.random() < settings.spread_share)
    shares = settings.grade_shares
    return {
        "tnm_stage": _stage(large=large, several=len(lesions) > 1, invasion=invasion, spread=spread),
        "vascular_invasion": int(invasion),
        "grade": int(rng.choice(len(shares), p=shares)) + 1,
    }


def _stage(*, large: bool, several: bool, invasion: bool, spread: bool) -> str:
    """Invasion is that of a major branch of the portal vein: T4."""
    if spread:
        return "IV"
    if invasion or (several and large):
        return "III"
    return "II" if several else "I"
