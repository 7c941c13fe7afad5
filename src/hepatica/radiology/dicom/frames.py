"""Frames: the stored pixels of one DICOM file, on disk or in an archive."""

import io
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import numpy as np
import pydicom
from pydicom.pixels.utils import iter_pixels

from hepatica.radiology.dicom import codecs

UNPACKING = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError)
"""What goes wrong with a damaged or locked member of an archive."""

_DECODING = (
    *UNPACKING,
    *(ValueError, AttributeError, KeyError, IndexError, TypeError, OSError, ImportError, MemoryError),
)


def open_file(path: Path, *, member: str | None) -> BinaryIO:
    """The bytes of a file, or of the `member` of a zip archive, which is unpacked to memory alone."""
    if member is None:
        return path.open("rb")
    state = path.stat()
    return io.BytesIO(_archive(path, state.st_mtime_ns, state.st_size).read(member))


def read_frames(
    path: Path, *, member: str | None, frames: Sequence[int], transfer_syntax: str
) -> list[np.ndarray | None]:
    """The stored values (y x) of each frame asked for; None for one whose pixels are damaged or of no known coding.

    To be called within `tolerant`.
    """
    plugin = codecs.NAME if codecs.is_available(transfer_syntax) else ""  # "": whatever pydicom has
    try:
        with open_file(path, member=member) as file:
            return list(iter_pixels(file, indices=list(frames), raw=True, decoding_plugin=plugin))
    except _DECODING:
        if len(frames) == 1:
            return [None]
        alone = (read_frames(path, member=member, frames=[each], transfer_syntax=transfer_syntax) for each in frames)
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

    What matters to us is checked and told by ourselves; hospitals' files break rules that do not matter every day.
    """
    return _TOLERANCE


@lru_cache(maxsize=2)
def _archive(path: Path, changed: int, size: int) -> zipfile.ZipFile:
    """Kept open, because its list of members is long to read; another state of the file is another archive."""
    return zipfile.ZipFile(path)
