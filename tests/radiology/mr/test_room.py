"""MR in the room of lesions: phases, diffusion and ADC of phantom studies; the other kind is not assessable."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SettingsError, SpecimenError, load_cohort
from hepatica.radiology.lesions.room import LESIONS_CT, LESIONS_MR, LesionPlan
from hepatica.radiology.mr.measures import TOLERANCES
from hepatica.radiology.phantom import PhantomSettings

SETTINGS = LesionPlan(
    epochs=1,
    batch=4,
    learning_rate=1e-3,
    phases=("arterial", "hepatobiliary", "t2", "dwi b600", "adc"),
    voxels=(1, 24, 24),
    scale="crop",
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    settings = PhantomSettings(matrix=64, slices=14, thickness_mm=12)
    folder = tmp_path_factory.mktemp("mr")
    return load_cohort(LESIONS_MR.phantom(folder / "B", settings=settings, patients=2, seed=1, hospital="B"))


@pytest.fixture(scope="module")
def store(cohort, tmp_path_factory):
    return LESIONS_MR.prepare(cohort, SETTINGS, tmp_path_factory.mktemp("prepared"))


def test_phases_diffusion_and_adc_are_channels(store):
    assert store.read(np.arange(2)).shape == (2, 24, 24, 5)
    assert set(store.specimens["phases"]) == {"arterial, hepatobiliary, t2, dwi b600, adc"}
    assert set(store.specimens["units"]) == {"signal"}
    adc = store.stored(np.arange(len(store)))[:, 4]
    assert 0.5 < np.median(adc) < 2  # liver, 1e-3 mm2/s


def test_by_the_level_of_the_liver_adc_keeps_its_own_scale(cohort, store):
    of_liver = LESIONS_MR.prepare(cohort, replace(SETTINGS, scale="liver"), store.folder)
    rows = np.arange(2)
    read, stored = of_liver.read(rows), store.stored(rows)[:, :, 0]
    np.testing.assert_allclose(read[..., 4], (stored[:, 4] / 4).clip(0, 1), atol=1e-6)
    around = np.median(stored[0, 0][store.masks(rows[:1])[0, 0] == 0])
    np.testing.assert_allclose(read[0, ..., 0], (stored[0, 0] / around / 2).clip(0, 1), atol=1e-6)


def test_studies_are_measured_as_a_whole(store):
    found = LESIONS_MR.measure(store)
    assert set(TOLERANCES) <= set(found.columns)
    assert not any(name.endswith("_hu") for name in found)
    assert (2 ** found["body_cm2_log2"]).between(300, 1200).all()


def test_the_other_kind_is_not_assessable(cohort, tmp_path):
    as_ct = replace(cohort, specimens=tuple(replace(each, modality="ct") for each in cohort.specimens))
    with pytest.raises(SpecimenError, match="modality MR, not CT"):
        LESIONS_CT.prepare(as_ct, replace(SETTINGS, phases=("arterial",)), tmp_path)


def test_there_is_no_window_of_signal(cohort, tmp_path):
    with pytest.raises(SettingsError, match="wanted crop or liver for MR"):
        LESIONS_MR.prepare(cohort, replace(SETTINGS, scale="window"), tmp_path)
    with pytest.raises(SettingsError, match="wanted window or crop for CT"):
        LESIONS_CT.prepare(cohort, replace(SETTINGS, scale="liver"), tmp_path)
