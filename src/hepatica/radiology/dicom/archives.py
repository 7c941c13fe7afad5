"""Archives: tar archives, and archives within archives, unpacked to a temporary folder in bounded memory and space.

A zip archive without others in it is read where it is (`sources`). Files unpacked are called by numbers, so that no
name within an archive can lead anywhere; links within it are left out.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from threading import Lock
from typing import IO

from hepatica.cohort.errors import SpecimenError

MAX_UNPACKED = 16 * 2**30  # ours
"""Bytes all files of one archive may have when unpacked: some 30,000 slices of 512 x 512."""

MAX_INFLATED = 2**28  # ours
"""Bytes a deflated file may have when unpacked, whatever it was: it may be in memory while it is read."""

MAX_RATIO = 200  # ours
"""How many times its packed size a file of MAX_INFLATED and more may have; CT has two to four times."""

DEEPEST = 3  # ours
"""Archives within archives that are looked into."""

NESTED = (".zip", ".tar", ".tar.gz", ".tgz")
"""Names of what is unpacked within an archive."""

MOST = 8  # ours
"""Archives that are unpacked at one time."""

_BLOCK = 2**20
_ARCHIVES: dict[Path, Path] = {}
_LOCK = Lock()
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


def is_tar(path: Path) -> bool:
    """Whether a file is named as a tar archive, packed or not."""
    return path.name.lower().endswith(NESTED[1:])


def refuse_swollen(packed: int, unpacked: int) -> None:
    """SpecimenError where a file is nearly empty: hugely larger than what it was packed into."""
    if unpacked > max(MAX_INFLATED, MAX_RATIO * packed):
        raise SpecimenError("a file of the archive is nearly empty and huge when unpacked; send the study again")


def unpacked(path: Path) -> list[Path]:
    """The files of an archive in a temporary folder, which goes with the process; SpecimenError where it is damaged,
    locked, nearly empty, or larger than MAX_UNPACKED. Only the last MOST archives stay unpacked; see `restore`.
    """
    state = path.stat()
    name = hashlib.sha256(f"{path.resolve()} {state.st_mtime_ns} {state.st_size}".encode()).hexdigest()[:16]
    with _LOCK:
        folder = _home() / name
        _ARCHIVES[folder] = path
        if not folder.exists():
            there = sorted(_home().iterdir(), key=lambda each: each.stat().st_mtime_ns)
            for old in there[: max(0, len(there) + 1 - MOST)]:
                shutil.rmtree(old)
            _fill(path, folder)
        return sorted(folder.iterdir())


def restore(path: Path) -> None:
    """Unpack the archive of a file again that had to give way to others; nothing for a file of another kind."""
    if path.parent in _ARCHIVES and not path.exists():
        unpacked(_ARCHIVES[path.parent])


@cache
def _home() -> Path:
    """The folder of this process, which holds a lock beside it; those of processes that were killed are removed."""
    for lock in Path(tempfile.gettempdir()).glob("hepatica-*.lock"):
        with suppress(OSError), lock.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink()
    home = Path(tempfile.mkdtemp(prefix="hepatica-"))
    lock = home.with_suffix(".lock")
    fcntl.flock(os.open(lock, os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)  # until the process ends
    atexit.register(lock.unlink, missing_ok=True)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


def _fill(archive: Path, folder: Path) -> None:
    folder.mkdir()
    try:
        _unpack(archive, folder, numbers=count(), room=[MAX_UNPACKED], depth=1)
    except BaseException as error:
        shutil.rmtree(folder)
        if isinstance(error, _DAMAGED):
            raise SpecimenError(f"an archive is damaged, incomplete or locked ({error}); send it again") from None
        raise


def _unpack(archive: Path, folder: Path, *, numbers: Iterator[int], room: list[int], depth: int) -> None:
    if depth > DEEPEST:
        raise SpecimenError(f"got archives {depth} deep within each other, wanted {DEEPEST} at most; unpack them")
    total, packed = 0, archive.stat().st_size
    for name, stream in _files(archive):
        place = folder / f"{next(numbers):06}"
        with place.open("wb") as file:
            while block := stream.read(_BLOCK):
                file.write(block)
                total, room[0] = total + len(block), room[0] - len(block)
                refuse_swollen(packed, total)
                if room[0] < 0:
                    raise SpecimenError(f"an archive would unpack to more than {MAX_UNPACKED >> 30} GiB; unpack it")
        if kind := next((each for each in NESTED if name.lower().endswith(each)), None):
            inner = place.replace(folder.with_name(f"{folder.name}-{depth}{kind}"))
            try:
                _unpack(inner, folder, numbers=numbers, room=room, depth=depth + 1)
            finally:
                inner.unlink()


def _files(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if is_tar(archive):
        with tarfile.open(archive, "r|*") as tar:
            for each in tar:
                stream = tar.extractfile(each) if each.isfile() else None
                if stream is not None:
                    yield each.name, stream
        return
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            if not member.is_dir():
                with opened.open(member) as stream:
                    yield member.filename, stream
