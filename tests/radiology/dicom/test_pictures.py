"""Pictures: slices that lost their units are read as grey and say so."""

import numpy as np
import pytest
from PIL import Image

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.pictures import read_pictures
from hepatica.radiology.dicom.scans import find_scans


def write(folder, *, count=11, shape=(8, 9)):
    for k in range(count):
        Image.fromarray(np.full(shape, 20 * k, np.uint8)).save(folder / f"{k}.png")


def test_pictures_follow_their_numbers_not_their_letters(tmp_path):
    write(tmp_path)
    volume = read_pictures(tmp_path)
    assert volume.values[:, 0, 0].tolist() == [20.0 * k for k in range(11)]  # 10 after 9, not after 1
    assert volume.units == "grey"
    assert "without Hounsfield units" in volume.notes[0]


def test_faults_are_told(tmp_path):
    with pytest.raises(SpecimenError, match="no picture"):
        read_pictures(tmp_path)
    write(tmp_path, count=3)
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "9.png")
    with pytest.raises(SpecimenError, match="wanted one size"):
        read_pictures(tmp_path)
    (tmp_path / "9.png").write_bytes(b"no picture")
    with pytest.raises(SpecimenError, match="picture 4 in order is damaged"):
        read_pictures(tmp_path)


def test_real_slices_of_a_paper(real):
    volume = read_pictures(real / "lilnet/case_1")
    assert volume.values.shape == (59, 512, 512)
    assert volume.values.max() <= 255


def test_what_macos_and_windows_leave_behind_is_no_picture(tmp_path):
    write(tmp_path, count=3)
    for name in ("._1.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / name).write_bytes(b"junk")
    assert find_scans(tmp_path).scans[0].read().values.shape == (3, 8, 9)
