from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from hepatica.cohort.phantom import SUSPECTED, Lesion, draw_patients
from hepatica.cohort.streams import generator
from hepatica.radiology.phantom.scanner import HOSPITALS, PhantomSettings
from hepatica.radiology.phantom.study import Study, draw_study

HEALTHY = replace(SUSPECTED, hcc_share=0, metavir_control=(0.0, 1.0, 0.0, 0.0, 0.0))
SMALL = PhantomSettings(matrix=96, slices=20)
PLAIN, ARTERIAL, PORTAL, DELAYED = range(4)


@cache
def study(kind: str, *, difficulty: float = 0, hospital: str = "A", atypical: bool = False, gas: bool = False) -> Study:
    lesion = Lesion(kind=kind, diameter_cm=5, atypical=atypical, gas=gas)
    patient = draw_patients(1, population=HEALTHY)[0]
    patient = replace(patient, tumour=replace(patient.tumour, lesions=(lesion,)))
    rng = generator(3, "study")
    return draw_study(rng, patient, hospital=HOSPITALS[hospital], difficulty=difficulty, settings=SMALL)


def against_liver(found: Study) -> np.ndarray:
    """Median Hounsfield units of the lesion minus those of the liver, by phase."""
    lesion, liver = (np.median(found.values[:, found.mask == label], axis=1) for label in (2, 1))
    return np.asarray(lesion - liver)


def test_hcc_enhances_in_the_arterial_phase_and_washes_out() -> None:
    found = study("hcc")
    inside = ndimage.binary_erosion(found.mask == 2, iterations=2)  # the capsule stays out
    contrast = against_liver(replace(found, mask=np.where(found.mask == 1, 1, 2 * inside)))
    assert contrast[ARTERIAL] > 40
    assert contrast[PORTAL] < -12
    assert contrast[DELAYED] < -15


def test_untypical_hcc_does_not_enhance_in_the_arterial_phase() -> None:
    assert against_liver(study("hcc", atypical=True))[ARTERIAL] < 5


@pytest.mark.parametrize("difficulty", [0, 1])
def test_a_cyst_is_water_that_does_not_enhance(difficulty: float) -> None:
    found = study("cyst", difficulty=difficulty)
    z, y, x = np.argwhere(found.mask == 2).mean(axis=0).round().astype(int)
    middle = found.values[:, z - 1 : z + 2, y - 3 : y + 4, x - 3 : x + 4].mean(axis=(1, 2, 3))
    assert (middle > 0).all()
    assert (middle < 15).all()
    assert np.ptp(middle) < 5


def test_a_hemangioma_fills_in() -> None:
    contrast = against_liver(study("hemangioma"))
    assert contrast[DELAYED] > 8
    assert contrast[PLAIN] < -8


def test_a_cholangiocarcinoma_enhances_late() -> None:
    contrast = against_liver(study("cholangiocarcinoma"))
    assert contrast[DELAYED] > 0 > contrast[PORTAL]


def test_focal_nodular_hyperplasia_enhances_early_and_does_not_wash_out() -> None:
    contrast = against_liver(study("focal nodular hyperplasia"))
    assert contrast[ARTERIAL] > 30
    assert contrast[DELAYED] > -8


def test_some_abscesses_hold_gas() -> None:
    with_gas, without = (study("abscess", gas=gas) for gas in (True, False))
    assert with_gas.values[:, with_gas.mask == 2].min() < -400
    assert without.values[:, without.mask == 2].min() > -150


def test_difficulty_takes_contrast_to_noise_away() -> None:
    def plainness(difficulty: float) -> float:
        found = study("hcc", difficulty=difficulty)
        noise = found.values[ARTERIAL][found.mask == 1].std()
        return float(against_liver(found)[ARTERIAL] / noise)

    easy, middle, hard = (plainness(difficulty) for difficulty in (0, 0.5, 1))
    assert easy > 1.3 * middle > 1.3 * 1.3 * hard


def test_hospitals_differ_in_noise_and_timing() -> None:
    first, second = study("cyst"), study("cyst", hospital="B")
    liver = [found.values[:, found.mask == 1] for found in (first, second)]
    noise = [(each[DELAYED] - each[PORTAL]).std() for each in liver]  # the anatomy cancels out
    assert noise[1] > 1.2 * noise[0]
    assert liver[1].mean(axis=1)[ARTERIAL] > liver[0].mean(axis=1)[ARTERIAL] + 6


def test_lesions_lie_inside_the_liver_of_that_size() -> None:
    found = study("hcc")
    volume = (found.mask == 2).sum() * np.prod(found.geometry.spacing)
    assert volume == pytest.approx(4 / 3 * np.pi * 25**3, rel=0.35)
    assert 0.7e6 < (found.mask > 0).sum() * np.prod(found.geometry.spacing) < 2.2e6  # mm3, 100 mm of liver
