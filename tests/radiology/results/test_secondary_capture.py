"""Secondary capture: the picture itself, upright, of a known slice."""

import numpy as np
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.results.evidence import evidence_of
from hepatica.radiology.results.secondary_capture import secondary_capture

MODEL = ModelIdentity(system="HCCNet", version="1", digest="ab" * 32, doi="10.1038/s41416-021-01511-w", note="")
PICTURE = np.random.default_rng(0).integers(0, 256, (30, 41, 3), dtype=np.uint8)


def evidence(*paths):
    (series,) = read_study(*paths).series
    return evidence_of(series)


def test_the_picture_comes_back_to_the_bit(ct):
    ct.write()
    made = secondary_capture(PICTURE, index=2, number=3, evidence=evidence(ct.folder), model=MODEL)
    assert np.array_equal(made.pixel_array, PICTURE)
    assert (made.PatientID, made.InstanceNumber, list(made.PatientOrientation)) == ("SECRET-1", 3, ["L", "P"])
    assert made.ImageComments == "Slice 3 of 6 from the feet"


def test_it_refers_to_the_slice_it_shows(ct):
    ct.write()
    own = evidence(ct.folder)
    made = secondary_capture(PICTURE, index=2, number=1, evidence=own, model=MODEL)
    assert made.SourceImageSequence[0].ReferencedSOPInstanceUID == own.slices[2].SOPInstanceUID


def test_it_refers_to_the_frame_it_shows(ct):
    ct.write_enhanced(ct.body(), order=[3, 0, 5, 1, 4, 2])
    own = evidence(ct.folder)
    (source,) = secondary_capture(PICTURE, index=2, number=1, evidence=own, model=MODEL).SourceImageSequence
    assert source.ReferencedSOPInstanceUID == own.files[0].SOPInstanceUID
    assert source.ReferencedFrameNumber == 6


def test_an_interpolated_slice_refers_to_no_file(ct):
    ct.write(ct.body(count=5), heights=[0, 5, 15, 20, 25])
    made = secondary_capture(PICTURE, index=2, number=1, evidence=evidence(ct.folder), model=MODEL)
    assert "SourceImageSequence" not in made


@pytest.mark.parametrize("wrong", [PICTURE[..., 0], PICTURE.astype(float), np.zeros((4, 4, 4), np.uint8)])
def test_what_is_no_colour_picture_is_refused(ct, wrong):
    ct.write()
    with pytest.raises(SpecimenError, match="uint8"):
        secondary_capture(wrong, index=2, number=1, evidence=evidence(ct.folder), model=MODEL)


@pytest.mark.parametrize("index", [-1, 6])
def test_slices_that_are_none_are_refused(ct, index):
    ct.write()
    with pytest.raises(SpecimenError, match="wanted 0 to 5"):
        secondary_capture(PICTURE, index=index, number=1, evidence=evidence(ct.folder), model=MODEL)
