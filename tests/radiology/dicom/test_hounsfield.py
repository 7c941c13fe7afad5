"""Hounsfield: rescale slice by slice, and headers that say wrongly what the numbers are."""

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.header import read_headers
from hepatica.radiology.dicom.hounsfield import are_hounsfield, refuse_hounsfield
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.sources import Source
from hepatica.radiology.dicom.volume import read_volume


def read(folder):
    (series,) = read_study(folder).series
    return read_volume(series)


def store(ct, values, **tags):
    for k, image in enumerate(values):
        ct.save(ct.dataset(image, **{"ImagePositionPatient": [-10, -12, 5.0 * k]} | tags))


def test_each_slice_has_its_own_slope_and_intercept(ct):
    for k, image in enumerate(ct.body()):
        place = [-10, -12, 5.0 * k]
        stored = (image.astype(np.int32) + 1000 + 100 * k) * 2
        tags = {"RescaleSlope": 0.5, "RescaleIntercept": -1000 - 100 * k}
        ct.save(ct.dataset(stored.astype(np.uint16), ImagePositionPatient=place, **tags))
    assert np.array_equal(read(ct.folder).values, ct.body())


def test_signed_values_called_unsigned_are_mended_and_told(ct):
    store(ct, ct.body(), PixelRepresentation=0, RescaleIntercept=0)  # air would be 64,536
    volume = read(ct.folder)
    assert np.array_equal(volume.values, ct.body())
    assert volume.notes == ("signed values declared unsigned by the header; read as signed",)


def test_hounsfield_units_without_rescale_are_told(ct):
    store(ct, ct.body(), RescaleSlope=None, RescaleIntercept=None)
    volume = read(ct.folder)
    assert np.array_equal(volume.values, ct.body())
    assert volume.notes == ("no rescale in the header; the values are taken as Hounsfield units",)


def test_values_that_cannot_be_hounsfield_units_are_refused(ct):
    store(ct, (ct.body() + 1024).astype(np.uint16), RescaleSlope=None, RescaleIntercept=None)
    with pytest.raises(SpecimenError, match=r"not Hounsfield units.*rescale is missing"):
        read(ct.folder)


def test_a_wrong_rescale_is_refused(ct):
    store(ct, (ct.body() + 1024).astype(np.uint16), RescaleIntercept=1024)
    with pytest.raises(SpecimenError, match=r"not Hounsfield units.*rescale is wrong"):
        read(ct.folder)


def test_monochrome1_with_honest_values_stays_as_it_is(ct):
    ct.write(PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(read(ct.folder).values, ct.body())


def test_monochrome1_with_inverted_values_is_turned_back_and_told(ct):
    stored = (4095 - (ct.body() + 1024)).astype(np.uint16)
    store(ct, stored, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    volume = read(ct.folder)
    assert np.array_equal(volume.values, ct.body())
    assert volume.notes == ("values inverted (MONOCHROME1); inverted back",)


def test_padding_below_air_becomes_air(ct):
    values = ct.body()
    values[:, 0] = -2000
    store(ct, values, RescaleIntercept=0)
    assert read(ct.folder).values.min() == -1024


@pytest.mark.parametrize(
    ("padding", "limit", "signed"),
    [(4095, None, False), (3000, 4095, False), (4095, 3000, False), (-2000, None, True)],
)
def test_declared_padding_is_outside(ct, padding, limit, signed):
    stored = ct.body() + (0 if signed else 1024)
    stored[:, :6], stored[:, 6:8] = padding, padding if limit is None else (padding + limit) // 2
    tags = {"PixelPaddingValue": padding, "PixelPaddingRangeLimit": limit, "RescaleIntercept": 0 if signed else -1024}
    store(ct, stored.astype(np.int16 if signed else np.uint16), **tags)
    wanted = ct.body()
    wanted[:, :8] = -1024
    assert np.array_equal(read(ct.folder).values, wanted)


def test_padding_written_as_unsigned_is_read_by_the_sign_of_the_pixels(ct):
    dataset = ct.dataset(ct.body()[0], RescaleIntercept=0)
    dataset.add_new("PixelPaddingValue", "US", 63536)
    assert read_headers(Source(path=ct.save(dataset)))[0].padding == (-2000, -2000)


def test_padding_by_a_value_of_tissue_is_outside_only_where_it_touches_the_border(ct):
    values = ct.body()
    values[:, :, :5], values[:, 20:23, 20:23] = 40, 40
    store(ct, values, RescaleIntercept=0, PixelPaddingValue=40)
    wanted = values.copy()
    wanted[:, :, :5] = -1024
    assert np.array_equal(read(ct.folder).values, wanted)


def test_values_without_fat_and_air_are_no_hounsfield_units(ct):
    store(ct, np.where(ct.body() < 0, -47, 4 * ct.body()).astype(np.int16), RescaleIntercept=0)
    with pytest.raises(SpecimenError, match="not Hounsfield units"):
        read(ct.folder)


def test_a_series_of_nothing_but_air_is_refused(ct):
    store(ct, np.zeros_like(ct.body(), np.uint16))
    with pytest.raises(SpecimenError, match="not air alone"):
        read(ct.folder)


def test_unsigned_values_called_signed_are_refused(ct):
    stored = (ct.body().astype(np.int32) + 40000).astype(np.uint16)
    store(ct, stored, RescaleIntercept=-40000, PixelRepresentation=1)
    with pytest.raises(SpecimenError, match="not air alone"):
        read(ct.folder)


def test_a_rescale_without_slope_is_refused(ct):
    store(ct, (ct.body() + 1024).astype(np.uint16), RescaleSlope=0, RescaleIntercept=-1000)
    with pytest.raises(SpecimenError, match="not Hounsfield units"):
        read(ct.folder)


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
