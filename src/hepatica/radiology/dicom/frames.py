"""Frames: the stored pixels of one DICOM file, on disk or in an archive, decoded so that other threads can run.

The decoders pydicom comes with (gdcm, openjpeg, Pillow) hold Python's lock while they decode, so that threads wait for
each other. Those of imagecodecs give the same pixels and release it; they are a plugin of pydicom here.
"""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import imagecodecs
import numpy as np
import pydicom
from pydicom import uid
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.pixels.utils import iter_pixels

from hepatica.radiology.dicom.archives import restore

IMAGECODECS = "imagecodecs"
"""What pydicom calls the plugin."""


LARGEST = 2**24  # ours
"""Pixels of one slice: 4096 x 4096. What claims more is not followed."""

_SIDES = re.compile(rb"\xff\x51.{4}(.{8})|\xff[\xc0\xc1\xc3\xf7].{3}(.{4})", re.DOTALL)
"""Width and height in the first header of a JPEG 2000, JPEG or JPEG-LS code stream (SIZ, SOF)."""


def _jpeg2000(frame: bytes) -> np.ndarray:
    return imagecodecs.jpeg2k_decode(frame, numthreads=1)


_DECODERS: Mapping[str, Callable[[bytes], np.ndarray]] = {
    uid.JPEG2000Lossless: _jpeg2000,
    uid.JPEG2000: _jpeg2000,
    uid.JPEGLSLossless: imagecodecs.jpegls_decode,
    uid.JPEGLSNearLossless: imagecodecs.jpegls_decode,
    uid.JPEGLossless: imagecodecs.jpeg_decode,
    uid.JPEGLosslessSV1: imagecodecs.jpeg_decode,
    uid.JPEGExtended12Bit: imagecodecs.jpeg_decode,
}

DECODER_DEPENDENCIES = dict.fromkeys(_DECODERS, ("imagecodecs",))
"""Required of a plugin by pydicom: its dependencies."""


def is_available(syntax: str) -> bool:
    """Whether a transfer syntax can be decoded; pydicom asks a plugin."""
    return syntax in _DECODERS


def decode_frame(frame: bytes, runner: DecodeRunner) -> bytes:
    """The bytes of one frame's pixels, as pydicom asks a plugin for them; raises what imagecodecs raises.

    ValueError when the frame's own code stream claims more than LARGEST pixels, whatever the header says.
    """
    sides = next((each.group(1) or each.group(2) for each in _SIDES.finditer(frame)), b"")
    half = len(sides) // 2
    if int.from_bytes(sides[:half]) * int.from_bytes(sides[half:]) > LARGEST:
        raise ValueError("more pixels than a slice has")
    pixels = _DECODERS[runner.transfer_syntax](frame)
    runner.set_option("bits_allocated", 8 * pixels.itemsize)  # the frame's own precision; a header may claim another
    return pixels.tobytes()


for _syntax in _DECODERS:
    get_decoder(uid.UID(_syntax)).add_plugin(IMAGECODECS, (__name__, decode_frame.__name__))


UNPACKING = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError)
"""What goes wrong with a damaged or locked member of an archive."""


def open_file(path: Path, *, member: str | None) -> BinaryIO:
    """The bytes of a file, or of the `member` of a zip archive, which is unpacked to memory alone."""
    if member is None:
        restore(path)
        return path.open("rb")
    state = path.stat()
    return io.BytesIO(_archive(path, state.st_mtime_ns, state.st_size).read(member))


_SOP_CLASS, _START = b"\x08\0\x16\0", 4096  # the tag of what every image says it is, and how far from the start


def has_preamble(file: BinaryIO) -> bool:
    """Whether a file begins as PS3.10 has it."""
    head = file.read(132)
    file.seek(0)
    return head[128:] == b"DICM"


def read_dicom(file: BinaryIO, *, stop_before_pixels: bool = False) -> pydicom.FileDataset:
    """The attributes of a DICOM file, also of one without preamble, as older devices and archives write them: it begins
    with an element of group 2 or 8 and soon has a SOP class, and its transfer syntax is seen by how that is written.

    InvalidDicomError for another file.
    """
    start = file.read(_START)
    file.seek(0)
    bare = not has_preamble(file) and start[:2] in (b"\x02\0", b"\x08\0") and _SOP_CLASS in start
    dataset = pydicom.dcmread(file, stop_before_pixels=stop_before_pixels, force=bare)
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
    return dataset


def read_frames(
    path: Path, *, member: str | None, frames: Sequence[int], transfer_syntax: str, raw: bool = True
) -> list[np.ndarray | None]:
    """The stored values (y x) of each frame asked for; None for one whose pixels are damaged or of no known coding.

    Of colour images (y x 3), as stored or, unless `raw`, as red, green and blue. To be called within `tolerant`.
    """
    plugin = IMAGECODECS if is_available(transfer_syntax) else ""  # "": whatever pydicom has
    try:
        with open_file(path, member=member) as file:
            deflated = transfer_syntax == uid.DeflatedExplicitVRLittleEndian  # no place of it can be sought
            source = read_dicom(file) if deflated or not has_preamble(file) else file
            return list(iter_pixels(source, indices=list(frames), raw=raw, decoding_plugin=plugin))
    except Exception:  # decoders raise anything
        if len(frames) == 1:
            return [None]
        how = {"member": member, "transfer_syntax": transfer_syntax, "raw": raw}
        alone = (read_frames(path, frames=[each], **how) for each in frames)  # type: ignore[arg-type]
        return [one for (one,) in alone]


class _Tolerance:
    """Entered by the first of several threads and left by the last, because it changes state of the whole process."""

    def __init__(self) -> None:
        self.lock, self.within, self.undo = Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self.lock:
            if not self.within:
                self.undo.enter_context(pydicom.config.disable_value_validation())
                self.undo.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"pydicom\.")
            self.within += 1

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.within -= 1
            if not self.within:
                self.undo.close()


_TOLERANCE = _Tolerance()


def tolerant() -> AbstractContextManager[None]:
    """Read DICOM that breaks the standard's rules of spelling without a warning for each value, within the block.

    What matters is checked elsewhere; files of hospitals often break rules that do not matter.
    """
    return _TOLERANCE


@lru_cache(maxsize=2)
def _archive(path: Path, changed: int, size: int) -> zipfile.ZipFile:
    """Kept open, because its list of members is long to read; another state of the file is another archive."""
    return zipfile.ZipFile(path)
