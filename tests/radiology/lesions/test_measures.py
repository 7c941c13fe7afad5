"""Measures: size and brightness of a study's first lesion."""

import numpy as np
import pytest

from hepatica.cohort import load_cohort
from hepatica.radiology.lesions.crops import Cropping
from hepatica.radiology.lesions.measures import measure
from hepatica.radiology.lesions.store import Reading, Scale, prepare


def test_levels_are_those_of_lesion_and_surroundings(cohort_folder, tmp_path):
    cohort = load_cohort(cohort_folder)
    reading = Reading(phases=("arterial", "delayed"), absent="refuse", cropping=Cropping(voxels=(1, 24, 24), share=0.6))
    store = prepare(
        cohort.specimens_of("ct"), cohort.lesions, reading=reading, scale=Scale(kind="crop"), folder=tmp_path
    )
    found = measure(store)
    assert found.loc["S1", "units"] == "HU"
    assert found.loc["S1", "diameter_mm_log2"] == pytest.approx(np.log2(15))
    assert found.loc["S1", ["phase_1_lesion_hu", "phase_1_around_hu", "phase_2_lesion_hu"]].tolist() == [140, 60, 60]
    assert "phase_3_lesion_hu" not in found
