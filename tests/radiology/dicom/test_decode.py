"""Decode: compressed pixels are those of the plain file, one at a time or many at once."""

import warnings

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from hepatica.radiology.dicom.decode import decode
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import read_volume


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless], ids=["JPEG 2000", "JPEG-LS", "RLE"])
def test_lossless_compression_changes_nothing(ct, syntax):
    ct.write(syntax=syntax)
    (series,) = read_study(ct.folder).series
    assert series.headers[0].transfer_syntax == syntax
    assert np.array_equal(read_volume(series).values, ct.body())


def test_many_threads_give_what_one_does(ct):
    paths = ct.write(syntax=JPEG2000Lossless)
    paths[1].write_bytes(paths[1].read_bytes()[:-200])
    (series,) = read_study(ct.folder).series
    one, many = (decode(series.headers, workers=workers) for workers in (1, 2))
    assert one[1] is None
    assert many[1] is None
    assert all(np.array_equal(a, b) for a, b in zip(one, many, strict=True) if a is not None)


def test_no_thread_leaves_warnings_switched_off(ct):
    ct.write(syntax=JPEG2000Lossless)
    (series,) = read_study(ct.folder).series
    before = warnings.filters.copy()
    decode(series.headers, workers=4)
    assert warnings.filters == before


def test_a_real_jpeg_2000_slice_has_the_values_other_decoders_give(real):
    """Against SimpleITK, whose own GDCM decodes and rescales."""
    import SimpleITK

    (series,) = read_study(real / "totalsegmentator/dicom").series
    header = series.headers[0]
    expected = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(header.source.path)))[0]
    assert np.array_equal(decode([header])[0].astype(int) - 1024, expected)
