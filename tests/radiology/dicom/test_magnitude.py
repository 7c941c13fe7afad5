"""Magnitude: rescaled where the header says so; Hounsfield units, phase images and blanks are no signal."""

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.hounsfield import are_hounsfield
from hepatica.radiology.dicom.magnitude import refuse_hounsfield
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import read_volume


def test_rescale_is_applied_where_present_and_padding_is_0(mr):
    stored = mr.body().astype(np.int32) + 1024
    mr.write(RescaleSlope=2.0, RescaleIntercept=5.0, PixelPaddingValue=24)
    (series,) = read_study(mr.folder, kind="mr").series
    assert np.array_equal(read_volume(series).values, np.where(stored == 24, 0, 2 * stored + 5))


RINGING = np.r_[np.linspace(0, 9000, 900), np.full(100, -300)]  # interpolated MR of large numbers
CT = np.r_[np.full(400, -1000), np.full(100, -90), np.full(500, 60)]
CROPPED = np.r_[np.full(10, -105), np.full(990, 110)]  # liver and a little fat


@pytest.mark.parametrize("values", [RINGING, np.linspace(0, 1, 50), np.linspace(-3, 4, 50), np.linspace(-47, 833, 50)])
def test_signal_is_no_hounsfield(values):
    assert not are_hounsfield(values)
    refuse_hounsfield(values)


@pytest.mark.parametrize("values", [CT, CROPPED, np.linspace(-4096, 4095, 50)])
def test_hounsfield_is_no_signal(values):
    assert are_hounsfield(values)
    with pytest.raises(SpecimenError, match="those of CT"):
        refuse_hounsfield(values)


@pytest.mark.parametrize("values", [np.zeros(9), np.array([0, np.nan])])
def test_blank_is_neither(values):
    assert not are_hounsfield(values)
    with pytest.raises(SpecimenError, match="no MR signal"):
        refuse_hounsfield(values)
