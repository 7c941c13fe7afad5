"""Frames: pixels straight from a file or an archive."""

import warnings
import zipfile

import numpy as np
import pydicom
from pydicom.uid import ExplicitVRLittleEndian

from hepatica.radiology.dicom.frames import read_frames, tolerant


def read(path, *, member=None, frames=(0,)):
    return read_frames(path, member=member, frames=frames, transfer_syntax=ExplicitVRLittleEndian)


def test_frames_are_those_asked_for_in_their_order(ct):
    path = ct.write_enhanced(ct.body(count=4), order=range(4))
    stored = read(path, frames=(2, 0))
    assert np.array_equal(np.stack(stored), ct.body(count=4)[[2, 0]] + 1024)


def test_an_archive_of_another_state_is_read_anew(ct, tmp_path):
    archive = tmp_path / "study.zip"
    for values in (ct.body(count=1), ct.body(count=1) + 7):
        (path,) = ct.write(values)
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("one" * (1 + int(values.max()) % 2), path.read_bytes())
            (name,) = file.namelist()
        (stored,) = read(archive, member=name)
        assert np.array_equal(stored, values[0] + 1024)


def test_a_frame_that_is_not_there_costs_no_other(ct):
    path = ct.write_enhanced(ct.body(count=2), order=range(2))
    sound, absent = read(path, frames=(1, 5))
    assert np.array_equal(sound, ct.body(count=2)[1] + 1024)
    assert absent is None


def test_tolerance_lasts_until_the_last_thread_leaves():
    before = warnings.filters[:], pydicom.config.settings.reading_validation_mode
    one, other = tolerant(), tolerant()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert pydicom.config.settings.reading_validation_mode == pydicom.config.IGNORE
    other.__exit__(None, None, None)
    assert (warnings.filters[:], pydicom.config.settings.reading_validation_mode) == before
