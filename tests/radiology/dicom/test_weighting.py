"""Weighting: b-value, echo and part as the standard and four vendors write them; one series sent, several read."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from hepatica.radiology.dicom.header import read_headers
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.sources import Source
from hepatica.radiology.dicom.volume import read_volume

SIEMENS, GE, PHILIPS = "SIEMENS MR HEADER", "GEMS_PARM_01", "Philips Imaging DD 001"


def private(dataset, *, creator, group, element, vr, value):
    dataset.private_block(group, creator, create=True).add_new(element, vr, value)


def weighting_of(mr, dataset):
    (header,) = read_headers(Source(path=mr.save(dataset)), kind="mr")
    return header.weighting


def one(mr, **tags):
    return mr.dataset(np.ones((4, 4), np.uint16), **tags)


@pytest.mark.parametrize(
    ("creator", "group", "element", "vr", "value", "wanted"),
    [
        (SIEMENS, 0x0019, 0x0C, "IS", 600, 600),
        (GE, 0x0043, 0x39, "IS", [1_000_000_050, 8, 0, 0], 50),
        (GE, 0x0043, 0x39, "IS", [800, 8, 0, 0], 800),
        (PHILIPS, 0x2001, 0x03, "FL", 400.0, 400),
        (SIEMENS, 0x0019, 0x0C, "UN", b"600 ", 600),
        (GE, 0x0043, 0x39, "UN", rb"100\8\0\0 ", 100),
        (PHILIPS, 0x2001, 0x03, "UN", np.float32(400).tobytes(), 400),
        ("ANOTHER", 0x0019, 0x0C, "IS", 600, None),  # the same element of another vendor means something else
    ],
)
def test_private_b_values(mr, creator, group, element, vr, value, wanted):
    dataset = one(mr)
    private(dataset, creator=creator, group=group, element=element, vr=vr, value=value)
    assert weighting_of(mr, dataset).b_value == wanted


def test_the_standard_goes_before_private_elements_and_these_before_names(mr):
    dataset = one(mr, SequenceName="*ep_b50t")
    assert weighting_of(mr, dataset).b_value == 50
    private(dataset, creator=SIEMENS, group=0x0019, element=0x0C, vr="IS", value=400)
    assert weighting_of(mr, dataset).b_value == 400
    dataset.DiffusionBValue = 0.0
    assert weighting_of(mr, dataset).b_value == 0


@pytest.mark.parametrize(
    ("tags", "part"),
    [
        ({"ImageType": ["DERIVED", "PRIMARY", "DIXON", "W"]}, "water"),
        ({"ImageType": ["DERIVED", "PRIMARY", "DIXON", "OPP_PHASE"]}, "opposed"),
        ({"ImageType": ["DERIVED", "PRIMARY", "IP", "IP", "DERIVED"]}, "in phase"),
        ({"SeriesDescription": "OutPhase: LAVA FLEX"}, "opposed"),
        ({"SeriesDescription": "FAT: LAVA FLEX"}, "fat"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, "phase"),
        ({"SeriesDescription": "t1 fat sat"}, ""),
    ],
)
def test_parts_of_a_dixon_or_complex_measurement(mr, tags, part):
    assert weighting_of(mr, one(mr, **tags)).part == part


def test_several_b_values_of_one_series_are_read_apart(mr):
    for b in (0, 100, 600):
        mr.write(mr.body() + b, DiffusionBValue=float(b), AcquisitionTime="120000")
    volumes = {each.headers[0].weighting.b_value: read_volume(each) for each in read_study(mr.folder, kind="mr").series}
    assert sorted(volumes) == [0, 100, 600]
    assert all(np.array_equal(each.values, mr.body() + 1024 + b) for b, each in volumes.items())
    assert {each.units for each in volumes.values()} == {"signal"}


def test_dynamic_phases_of_two_echoes_in_one_series_are_read_apart(mr):
    for echo in (1.15, 2.3):
        for time in range(2):
            mr.write(mr.body() + 10 * time, EchoTime=echo, TemporalPositionIdentifier=time + 1)
    assert len(read_study(mr.folder, kind="mr").series) == 4


def test_a_frame_of_an_enhanced_file_has_its_own(mr):
    dataset = pydicom.dcmread(mr.write_enhanced(mr.body(count=6), order=range(6)))
    dataset.SOPClassUID = pydicom.uid.EnhancedMRImageStorage
    del dataset.EchoTime
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        diffusion, echo = Dataset(), Dataset()
        diffusion.DiffusionBValue, echo.EffectiveEchoTime = float(50 * (k % 2)), 61.0
        frame.MRDiffusionSequence, frame.MREchoSequence = [diffusion], [echo]
    next(mr.folder.iterdir()).unlink()
    mr.save(dataset)
    found = read_study(mr.folder, kind="mr").series
    assert [(len(each.headers), each.headers[0].weighting.echo_time) for each in found] == [(3, 61.0)] * 2
    assert {each.headers[0].weighting.b_value for each in found} == {0, 50}
