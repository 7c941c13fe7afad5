"""Decode: the stored pixels of many slices, compressed ones on several cores at once."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np

from hepatica.radiology.dicom.frames import is_available, read_frames, tolerant
from hepatica.radiology.dicom.header import Header

_AT_ONCE = 16  # frames a task


def decode(headers: Sequence[Header], *, workers: int | None = None) -> list[np.ndarray | None]:
    """The stored values (y x) of each slice, in the order given; None for a slice whose pixels are damaged.

    JPEG 2000, JPEG-LS and lossless JPEG are decoded by `workers` threads (by default one a core);
    others one after the other, since they hold Python's lock or have nothing to decode.
    """
    tasks = list(_tasks(headers))
    together = any(is_available(header.transfer_syntax) for header in headers)
    with tolerant(), ThreadPoolExecutor((workers or _cores()) if together else 1) as pool:
        return [frame for part in pool.map(_read, tasks) for frame in part]


def _tasks(headers: Sequence[Header]) -> Iterable[Sequence[Header]]:
    """Neighbouring frames of one file go together, so that its header is read once for them."""
    for _, own in groupby(headers, key=lambda header: header.source):
        frames = list(own)
        for start in range(0, len(frames), _AT_ONCE):
            yield frames[start : start + _AT_ONCE]


def _read(headers: Sequence[Header]) -> list[np.ndarray | None]:
    source, syntax = headers[0].source, headers[0].transfer_syntax
    frames = [header.frame for header in headers]
    return read_frames(source.path, member=source.member, frames=frames, transfer_syntax=syntax)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
