"""Selection: what is no section of soft tissue is set aside; time points are told apart by the first tag that does."""

from dataclasses import replace

import pytest

from hepatica.radiology.dicom.header import MOMENTS, read_headers
from hepatica.radiology.dicom.selection import time_points, unwanted
from hepatica.radiology.dicom.sources import Source
from hepatica.radiology.dicom.weighting import Weighting


@pytest.fixture
def slices(ct):
    return [header for path in ct.write() for header in read_headers(Source(path=path))]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": ("DERIVED", "SECONDARY", "AXIAL", "CT_SOM5 MIP")}, "a projection"),
        ({"kind": ("DERIVED", "SECONDARY", "MIN_IP")}, "a projection"),
        ({"description": "Abd. MIP 10/3"}, "a projection"),
        ({"kind": ("DERIVED", "SECONDARY", "PERFUSION")}, "a perfusion"),
        ({"kind": ("DERIVED", "PRIMARY", "AXIAL", "CBV")}, "a perfusion"),
        *(({"kernel": each}, "a lung or bone kernel") for each in ("B70F", "BL57", "LUNG", "BONEPLUS", "YA", "FC51")),
        ({"description": "Thorax Lunge 1.0"}, "a lung or bone kernel"),
    ],
)
def test_what_is_set_aside(slices, changes, reason):
    assert unwanted(replace(slices[0], **changes)).startswith(reason)


@pytest.mark.parametrize(
    "changes",
    [
        *({"kernel": each} for each in ("BR36F", "B30F", "I31F", "QR40", "STANDARD", "SOFT", "B", "FC08", "B_SOFT_B")),
        {"kind": ("DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE")},
        {"description": "liver parenchyma, thin slices, minimal dose"},
        {"kernel": "BR36F", "description": "lung bases to pelvis"},
    ],
)
def test_what_is_read(slices, changes):
    assert unwanted(replace(slices[0], **changes)) is None


def moment(header, name, value):
    moments = list(header.moments)
    moments[list(MOMENTS).index(name)] = value
    return replace(header, moments=tuple(moments), instance=f"{header.instance}{value}")


@pytest.mark.parametrize("name", list(MOMENTS))
def test_two_phases_are_told_apart_by_any_link_of_the_chain(slices, name):
    early = [moment(each, name, str(100 + k)) for k, each in enumerate(slices)]  # counted up along the scan
    late = [moment(each, name, str(200 + k)) for k, each in enumerate(slices)]
    parts, notes = time_points([*late, *early])
    assert parts == [tuple(early), tuple(late)]
    assert notes == ("one of 2 time points sent as one series",)


def test_an_attribute_that_says_the_same_of_both_phases_is_passed_over(slices):
    both = [
        moment(moment(each, "AcquisitionNumber", "1"), "AcquisitionTime", f"12{k}000")
        for k in (1, 2)
        for each in slices
    ]
    assert [len(part) for part in time_points(both)[0]] == [6, 6]


def test_acquisitions_counted_along_one_scan_stay_together(slices):
    counted = [moment(each, "AcquisitionNumber", str(k // 3)) for k, each in enumerate(slices)]
    assert time_points(counted) == ([tuple(counted)], ())


@pytest.mark.parametrize("first", [False, True])
def test_a_slice_scanned_again_is_dropped_with_a_note(slices, first):
    counted = [moment(each, "AcquisitionNumber", str(k + 5)) for k, each in enumerate(slices)]
    again = moment(slices[2], "AcquisitionNumber", "1" if first else "99")
    parts, notes = time_points([again, *counted])
    assert notes == ("scanned again: 1 slices; one of each place is read",)
    (part,) = parts
    assert sorted(each.position[2] for each in part) == [0, 5, 10, 15, 20, 25]


def test_what_nothing_tells_apart_stays_one(slices):
    twice = [*slices, *(replace(each, instance=each.instance + "2") for each in slices)]
    assert time_points(twice) == ([tuple(twice)], ())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"description": "3 Plane Loc"}, "a localizer"),
        ({"description": "Calibration Scan"}, "a localizer"),
        ({"description": "ep2d_diff_ADC"}, "a map"),
        ({"kind": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND")}, "a map"),
        ({"kind": ("DERIVED", "PRIMARY", "M", "SUB")}, "a map"),
        ({"description": "thk MIP_RADIAL"}, "a projection"),
        ({"weighting": Weighting(b_value=None, echo_time=2.3, part="fat")}, "a fat image"),
    ],
)
def test_what_is_set_aside_of_mr(mr, changes, reason):
    (header,) = read_headers(Source(path=mr.write(mr.body(count=1))[0]), kind="mr")
    assert unwanted(replace(header, **changes)).startswith(reason)


@pytest.mark.parametrize("description", ["ep2d_diff_b50_400_800_TRACEW", "t1_vibe_dixon_tra_W", "LAVA", "t2 haste"])
def test_what_is_read_of_mr(mr, description):
    (path,) = mr.write(mr.body(count=1), SeriesDescription=description)
    assert unwanted(*read_headers(Source(path=path), kind="mr")) is None
