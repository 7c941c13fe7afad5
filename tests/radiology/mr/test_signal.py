"""Signal: one scale whatever the scanner's, by body or by a mask; Hounsfield units are none."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SettingsError, SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.mr.adc import SignalScale, normalised


@pytest.fixture
def volume():
    values = np.zeros((2, 10, 10), np.float32)
    values[:, 2:8, 2:8] = np.linspace(400, 800, 72).reshape(2, 6, 6)
    geometry = Geometry(shape=(2, 10, 10), spacing=(5.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0))
    return Volume(values=values, geometry=geometry, units="signal", measured=np.ones(2, bool))


@pytest.mark.parametrize("kind", ["percentiles", "z_score"])
def test_the_scale_of_a_scanner_is_lost(volume, kind):
    scale = SignalScale(kind=kind)
    other = replace(volume, values=volume.values * 7.5)
    np.testing.assert_allclose(normalised(volume, scale=scale).values, normalised(other, scale=scale).values, atol=1e-5)


def test_percentiles_of_the_body_are_0_and_1(volume):
    inside = normalised(volume).values[:, 2:8, 2:8]
    np.testing.assert_allclose(np.percentile(inside, [1, 99]), [0, 1], atol=1e-6)


def test_z_score_by_a_mask(volume):
    liver = np.zeros((2, 10, 10), bool)
    liver[0, 3:6, 3:6] = True
    found = normalised(volume, scale=SignalScale(kind="z_score"), reference=liver).values[liver]
    assert found.mean() == pytest.approx(0, abs=1e-5)
    assert found.std() == pytest.approx(1, abs=1e-5)


def test_refusals(volume):
    with pytest.raises(SpecimenError, match="units HU, wanted the signal"):
        normalised(replace(volume, units="HU"))
    with pytest.raises(SpecimenError, match="no voxel"):
        normalised(volume, reference=np.zeros((2, 10, 10), bool))
    with pytest.raises(SpecimenError, match="one signal"):
        normalised(volume, reference=volume.values == 0)
    with pytest.raises(SettingsError, match="0 <= low < high"):
        SignalScale(low=99, high=1)


def test_the_real_mr(real):
    volume = find_scans(real / "totalsegmentator/example_mr_sm.nii.gz", kind="mr").scans[0].read()
    found = normalised(volume).values
    assert 0.3 < (found > 0).mean() < 0.7
    assert found.max() < 1.5
