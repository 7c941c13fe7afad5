"""Water: the path of a spectrum's water reference, checked as its own path is."""

import pytest

from hepatica.cohort import CohortError, load_cohort

HEADER = "patient_id,specimen_id,modality,path,water\n"


def test_a_water_reference_lies_beside_a_spectrum(tmp_path, write_cohort):
    rows = "P1,S1,spectrum,slides/1.svs,slides/2.svs\nP2,S2,spectrum,slides/3.svs,\n"
    first, second = load_cohort(write_cohort(tmp_path, specimens=HEADER + rows)).specimens
    assert (first.water, second.water) == (tmp_path / "slides" / "2.svs", None)


def test_a_missing_water_reference_is_told(tmp_path, write_cohort):
    rows = "P1,S1,spectrum,slides/1.svs,slides/9.svs\n"
    with pytest.raises(CohortError, match=r"row 2 column water: no such file: ./slides/9.svs"):
        load_cohort(write_cohort(tmp_path, specimens=HEADER + rows))
