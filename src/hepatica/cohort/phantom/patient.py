"""Patient: the latent patient that every instrument shows: person, tumour and course.

Each topic of each patient has a random stream of its own: a patient is the same, whatever is drawn of them. Only who
has HCC is settled for a cohort as a whole, so that the share holds in small ones.
"""

import math
from dataclasses import dataclass

import numpy as np

from hepatica.cohort.phantom.outcomes import Course, draw_course
from hepatica.cohort.phantom.population import Population
from hepatica.cohort.phantom.tumour import Tumour, draw_tumour
from hepatica.cohort.streams import generator

_AGES = (18, 90)
_STIFFNESS_KPA = (4.8, 5.8, 7.4, 10.5, 19.0)
"""Median at each METAVIR stage (ours, about the usual cut-offs of transient elastography)."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A patient but for the tumour, the blood in the units of the names.

    `sex` is male or female; `aetiology` hbv, hcv, alcohol, masld or none; `metavir` 0 to 4; `child_pugh` A, B or C.
    """

    age_years: int
    sex: str
    aetiology: str
    metavir: int
    child_pugh: str
    stiffness_kpa: float
    alt_u_l: int
    bilirubin_umol_l: int
    albumin_g_l: int
    platelets_10e9_l: int
    inr: float


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One latent patient; `number` counts from 0 and names their streams, with the seed and the hospital."""

    number: int
    patient_id: str
    seed: int
    hospital: str
    person: Person
    tumour: Tumour
    course: Course

    def stream(self, *topic: str | int) -> np.random.Generator:
        """The patient's own random numbers for a topic."""
        return generator(self.seed, self.hospital, *topic, self.number)


def draw_patients(
    count: int, *, population: Population, seed: int = 0, difficulty: float = 0.5, hospital: str = "A"
) -> tuple[Patient, ...]:
    """All patients of a cohort; exactly the share with HCC that the population says, rounded."""
    shuffled = generator(seed, hospital, "diagnoses").permutation(count)
    with_hcc = shuffled < round(population.hcc_share * count)
    return tuple(
        _patient(number, bool(hcc), population=population, seed=seed, difficulty=difficulty, hospital=hospital)
        for number, hcc in enumerate(with_hcc)
    )


def _patient(number: int, hcc: bool, *, population: Population, seed: int, difficulty: float, hospital: str) -> Patient:
    def stream(topic: str) -> np.random.Generator:
        return generator(seed, hospital, topic, number)

    person = _person(stream("person"), hcc, population)
    tumour = draw_tumour(stream("tumour"), hcc=hcc, difficulty=difficulty, population=population)
    liver = _log_hazard(person, tumour, population)
    course = draw_course(stream("course"), tumour, liver=liver, difficulty=difficulty, population=population)
    name = f"{hospital}-{number + 1:04d}"
    return Patient(
        number=number, patient_id=name, seed=seed, hospital=hospital, person=person, tumour=tumour, course=course
    )


def _log_hazard(person: Person, tumour: Tumour, population: Population) -> float:
    """Of a first HCC."""
    return (
        population.metavir_log_hazard * person.metavir
        + population.age_log_hazard * (person.age_years - population.age_means[1]) / population.age_sd
        + population.male_log_hazard * (person.sex == "male")
        - population.platelets_log_hazard * math.log2(person.platelets_10e9_l / 118)
        - population.albumin_log_hazard * (person.albumin_g_l - 40) / 10
        + population.afp_log_hazard * math.log10(tumour.afp_ng_ml / 4)
    )


def _person(rng: np.random.Generator, hcc: bool, population: Population) -> Person:
    """Synthesis falls with the Child-Pugh class, platelets with fibrosis (ours)."""
    shares = population.metavir_hcc if hcc else population.metavir_control
    metavir, worse = int(rng.choice(len(shares), p=shares)), int(rng.choice(3, p=population.child_pugh))
    hbv, other = rng.random() < population.hbv_share, ("hcv", "alcohol", "masld")[int(rng.integers(3))]
    healthy = not hcc and metavir == 0 and population.controls_have_lesions
    male = rng.random() < population.male_shares[not hcc]
    age, *spread = (float(each) for each in rng.standard_normal(7))
    age = population.age_means[not hcc] + population.age_sd * age
    return Person(
        age_years=round(min(max(age, _AGES[0]), _AGES[1])),
        sex="male" if male else "female",
        aetiology="none" if healthy else "hbv" if hbv else other,
        metavir=metavir,
        child_pugh="ABC"[worse],
        stiffness_kpa=round(_STIFFNESS_KPA[metavir] * math.exp(0.25 * spread[0]), 1),
        alt_u_l=round(population.alt_median_u_l * math.exp(0.5 * spread[1])),
        bilirubin_umol_l=round(13 * 2**worse * math.exp(0.3 * spread[2])),
        albumin_g_l=round(41 - 6 * worse + 3 * spread[3]),
        platelets_10e9_l=round((230 - 28 * metavir) * math.exp(0.25 * spread[4])),
        inr=round(1.05 + 0.25 * worse + 0.06 * abs(spread[5]), 2),
    )
