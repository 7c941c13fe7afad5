"""Codecs: the plugin gives the pixels that pydicom's own decoders give, and lets other threads run meanwhile."""

import sys
import threading
import warnings
import zipfile

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import get_decoder
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from hepatica.radiology.dicom.frames import IMAGECODECS, is_available, read_frames, tolerant

RNG = np.random.default_rng(0)


def lossless_jpeg(dataset: Dataset, stored: np.ndarray) -> None:
    """In place; pydicom itself writes none."""
    frame = imagecodecs.jpeg_encode(stored.view(np.uint16), lossless=True, predictor=1, bitspersample=16)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1


def made(ct, stored: np.ndarray, *, syntax, **tags) -> Dataset:
    dataset = ct.dataset(stored, **tags)
    if syntax == JPEGLosslessSV1:
        lossless_jpeg(dataset, stored)
    else:
        dataset.compress(syntax, generate_instance_uid=False)
    return dataset


@pytest.mark.parametrize(
    ("kind", "lowest", "highest"), [(np.uint16, 0, 4096), (np.uint16, 0, 65536), (np.int16, -32768, 32768)]
)
@pytest.mark.parametrize(
    "syntax", [JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1], ids=["JPEG 2000", "JPEG-LS", "JPEG"]
)
def test_pixels_are_those_that_were_written_and_those_of_gdcm(ct, syntax, kind, lowest, highest):
    stored = RNG.integers(lowest, highest, (40, 48)).astype(kind)
    dataset = made(ct, stored, syntax=syntax)
    decoder = get_decoder(syntax)
    ours, theirs = (decoder.as_array(dataset, raw=True, decoding_plugin=name)[0] for name in (IMAGECODECS, "gdcm"))
    assert ours.dtype == kind
    assert np.array_equal(ours, stored)
    assert np.array_equal(ours, theirs)


def test_the_precision_is_the_frames_own(ct):
    """Eight bits in a file that says sixteen."""
    stored = RNG.integers(0, 256, (40, 48)).astype(np.uint8)
    dataset = made(ct, stored, syntax=JPEG2000Lossless, BitsAllocated=8, BitsStored=8, HighBit=7)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    decoder = get_decoder(JPEG2000Lossless)
    assert np.array_equal(decoder.as_array(dataset, raw=True, decoding_plugin=IMAGECODECS)[0], stored)


def test_what_it_does_not_decode_is_left_to_others():
    assert not is_available(RLELossless)
    assert not is_available(ExplicitVRLittleEndian)
    assert not is_available("")


@pytest.mark.parametrize(
    ("syntax", "decode"),
    [
        (JPEG2000Lossless, imagecodecs.jpeg2k_decode),
        (JPEGLSLossless, imagecodecs.jpegls_decode),
        (JPEGLosslessSV1, imagecodecs.jpeg_decode),
    ],
    ids=["JPEG 2000", "JPEG-LS", "JPEG"],
)
def test_other_threads_run_while_a_frame_is_decoded(ct, syntax, decode):
    """With so long an interval between switches, a thread runs only when it is let."""
    stored = RNG.integers(0, 4096, (512, 512)).astype(np.uint16)
    frame = get_frame(made(ct, stored, syntax=syntax).PixelData, 0, number_of_frames=1)
    begun, ran = threading.Event(), []
    interval = sys.getswitchinterval()
    try:
        sys.setswitchinterval(60)
        other = threading.Thread(target=lambda: (begun.wait(), ran.append(True)))
        other.start()
        begun.set()
        for _ in range(50):  # a busy machine may be slow to wake it
            decode(frame)
            if ran:
                break
        assert ran
    finally:
        sys.setswitchinterval(interval)
        other.join()


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
