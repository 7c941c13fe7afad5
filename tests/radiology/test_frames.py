"""Frames: pixels straight from a file or an archive, with as little imported as can be."""

import subprocess
import sys
import zipfile

import numpy as np

from hepatica.radiology.frames import read_frames


def test_frames_are_those_asked_for_in_their_order(ct):
    path = ct.write_enhanced(ct.body(count=4), order=range(4))
    stored = read_frames((path, None, (2, 0)))
    assert np.array_equal(np.stack(stored), ct.body(count=4)[[2, 0]] + 1024)


def test_an_archive_of_another_state_is_read_anew(ct, tmp_path):
    archive = tmp_path / "study.zip"
    for values in (ct.body(count=1), ct.body(count=1) + 7):
        (path,) = ct.write(values)
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("one" * (1 + int(values.max()) % 2), path.read_bytes())
            (name,) = file.namelist()
        (stored,) = read_frames((archive, name, (0,)))
        assert np.array_equal(stored, values[0] + 1024)


def test_a_frame_that_is_not_there_costs_no_other(ct):
    path = ct.write_enhanced(ct.body(count=2), order=range(2))
    sound, absent = read_frames((path, None, (1, 5)))
    assert np.array_equal(sound, ct.body(count=2)[1] + 1024)
    assert absent is None


def test_a_helping_process_starts_without_tables_and_networks():
    heavy = "import sys, hepatica.radiology.frames; print({'pandas', 'torch', 'lifelines'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True).stdout.strip() == "set()"
