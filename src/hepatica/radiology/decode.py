"""Decode: the stored pixels of many slices, compressed ones (JPEG, JPEG 2000, RLE) on several cores at once."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from itertools import groupby
from multiprocessing import get_all_start_methods, get_context

import numpy as np
from pydicom.uid import UID

from hepatica.radiology.frames import Task, read_frames
from hepatica.radiology.header import Header

WORTH_A_POOL = 40  # ours
"""Compressed slices from which on other processes are started: fewer take this one alone about a second."""

_AT_ONCE = 16  # frames a task


def decode(headers: Sequence[Header], *, workers: int | None = None) -> list[np.ndarray | None]:
    """The stored values (y x) of each slice, in the order given; None for a slice whose pixels are damaged.

    Decoders of compressed pixels hold Python's lock, so threads would not help: slices go to `workers` processes (as
    many as there are cores when not said) once they are WORTH_A_POOL. Uncompressed pixels are read in this process.
    """
    tasks = list(_tasks(headers))
    compressed = sum(_is_compressed(header) for header in headers)
    count = workers or _cores()
    if count < 2 or compressed < WORTH_A_POOL:
        return [frame for task in tasks for frame in read_frames(task)]
    try:
        return [frame for part in _pool(count).map(read_frames, tasks, chunksize=4) for frame in part]
    except BrokenProcessPool:  # no other process may be started here, or one was killed for its memory
        stop_pool()
        return [frame for task in tasks for frame in read_frames(task)]


def _tasks(headers: Sequence[Header]) -> Iterable[Task]:
    """Neighbouring frames of one file go together, so that its header is read once for them."""
    for source, own in groupby(headers, key=lambda header: header.source):
        frames = [header.frame for header in own]
        for start in range(0, len(frames), _AT_ONCE):
            yield source.path, source.member, tuple(frames[start : start + _AT_ONCE])


def _is_compressed(header: Header) -> bool:
    return bool(header.transfer_syntax) and UID(header.transfer_syntax).is_encapsulated


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool(workers: int) -> ProcessPoolExecutor:
    """Kept for the next series. Started from a clean process: a fork of one that runs PyTorch's threads may hang."""
    methods = get_all_start_methods()
    context = get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(["__main__", read_frames.__module__])
    return ProcessPoolExecutor(workers, mp_context=context)


def stop_pool() -> None:
    """Let go of the processes kept for the next series."""
    _pool.cache_clear()
