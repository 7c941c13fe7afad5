"""Frames: the stored pixels of one DICOM file, on disk or in an archive.

Imports as little as it can (no other module of ours): each process that helps to decode starts with it.
"""

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pydicom
from pydicom.pixels.utils import iter_pixels

UNPACKING = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError)
"""What goes wrong with a damaged or locked member of an archive."""

_DECODING = (
    *UNPACKING,
    *(ValueError, AttributeError, KeyError, IndexError, TypeError, OSError, ImportError, MemoryError),
)

Task = tuple[Path, str | None, tuple[int, ...]]
"""A file, its name within the archive where it is in one, and which of its frames."""


def open_file(path: Path, *, member: str | None) -> BinaryIO:
    """The bytes of a file, or of the `member` of a zip archive, which is unpacked to memory alone."""
    if member is None:
        return path.open("rb")
    state = path.stat()
    return io.BytesIO(_archive(path, state.st_mtime_ns, state.st_size).read(member))


def read_frames(task: Task) -> list[np.ndarray | None]:
    """The stored values (y x) of each frame asked for; None for one whose pixels are damaged or of no known coding."""
    path, member, frames = task
    try:
        with open_file(path, member=member) as file, tolerant():
            return list(iter_pixels(file, indices=list(frames), raw=True))
    except _DECODING:
        return [None] if len(frames) == 1 else [one for each in frames for one in read_frames((path, member, (each,)))]


@contextmanager
def tolerant() -> Iterator[None]:
    """Read DICOM that breaks the standard's rules of spelling without a warning for each value.

    What matters to us is checked and told by ourselves; hospitals' files break rules that do not matter every day.
    """
    with pydicom.config.disable_value_validation(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"pydicom\.")
        yield


@lru_cache(maxsize=2)
def _archive(path: Path, changed: int, size: int) -> zipfile.ZipFile:
    """Kept open, because its list of members is long to read; another state of the file is another archive."""
    return zipfile.ZipFile(path)
