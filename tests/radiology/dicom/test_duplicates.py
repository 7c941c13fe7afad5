"""Duplicates: copies go, different slices at one place stay."""

import pytest

from hepatica.radiology.dicom.duplicates import by_acquisition, drop_duplicates
from hepatica.radiology.dicom.header import read_headers
from hepatica.radiology.dicom.sources import find_sources


def headers(folder):
    return [header for source in find_sources(folder) for header in read_headers(source)]


def test_a_series_sent_twice_is_one(ct):
    ct.write()
    ct.write()
    kept, notes = drop_duplicates(headers(ct.folder))
    assert len(kept) == 6
    assert notes == ("6 duplicate slices dropped",)


def test_without_copies_nothing_is_said(ct):
    ct.write()
    kept, notes = drop_duplicates(headers(ct.folder))
    assert (len(kept), notes) == (6, ())


def test_of_a_sound_and_a_damaged_copy_the_sound_one_stays(ct):
    whole, cut = ct.write(ct.body(count=1)) + ct.write(ct.body(count=1))
    cut.write_bytes(cut.read_bytes()[:-500])
    (kept,), _ = drop_duplicates(headers(ct.folder))
    assert kept.source.path == whole


@pytest.mark.parametrize("numbers", [(1, 2), ("", "")])
def test_different_slices_at_one_place_all_stay(ct, numbers):
    for k, number in enumerate(numbers):
        ct.write(ct.body() + k, AcquisitionNumber=number)
    kept, notes = drop_duplicates(headers(ct.folder))
    assert (len(kept), notes) == (12, ())
    assert [len(part) for part in by_acquisition(kept)] == ([6, 6] if numbers[0] else [12])


def test_acquisitions_of_one_scan_stay_together_while_no_place_is_taken_twice(ct):
    """Some scanners count up their acquisitions along one scan."""
    ct.write(change=lambda k, each: setattr(each, "AcquisitionNumber", k // 3 + 1))
    assert [len(part) for part in by_acquisition(headers(ct.folder))] == [6]
