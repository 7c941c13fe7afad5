"""Parametric map: the saliency as numbers, slice by slice where it lay."""

import numpy as np
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.stack import upright
from hepatica.radiology.results.evidence import evidence_of
from hepatica.radiology.results.parametric_map import parametric_map

MODEL = ModelIdentity(system="HCCNet", version="1", digest="ab" * 32, doi="10.1038/s41416-021-01511-w", note="")


def evidence(*paths):
    (series,) = read_study(*paths).series
    return evidence_of(series)


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, -1, 0]])
def test_values_come_back_to_the_bit_on_the_slices_that_have_any(ct, orientation):
    ct.write(ImageOrientationPatient=orientation)
    own = evidence(ct.folder)
    saliency = np.zeros(own.series.geometry.shape, np.float32)
    saliency[[1, 4]] = np.random.default_rng(0).random((2, *saliency.shape[1:]), dtype=np.float32)
    made = parametric_map(saliency, evidence=own, model=MODEL)
    values = np.frombuffer(made.FloatPixelData, "<f4").reshape(-1, made.Rows, made.Columns)
    heights = [
        float(each.PlanePositionSequence[0].ImagePositionPatient[2]) for each in made.PerFrameFunctionalGroupsSequence
    ]
    assert sorted(heights) == [5, 20]
    for height, frame in zip(heights, values, strict=True):
        assert np.array_equal(upright(frame, own.series.headers[0]), saliency[int(height / 5)])


def test_it_says_that_it_is_saliency(ct):
    ct.write()
    own = evidence(ct.folder)
    made = parametric_map(np.full(own.series.geometry.shape, 0.5), evidence=own, model=MODEL)
    (mapping,) = made.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue == "130404"  # PS3.16: Saliency
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "1"


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_what_is_no_share_is_refused(ct, wrong):
    ct.write()
    own = evidence(ct.folder)
    with pytest.raises(SpecimenError, match="0 to 1"):
        parametric_map(np.full(own.series.geometry.shape, wrong, np.float32), evidence=own, model=MODEL)


def test_no_saliency_is_no_map(ct):
    ct.write()
    own = evidence(ct.folder)
    assert parametric_map(np.zeros(own.series.geometry.shape), evidence=own, model=MODEL) is None
