"""Snapshot: the files of a folder as they were at one instant, while others go on writing there."""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from hepatica.cohort.errors import UnavailableError
from hepatica.cohort.remote.manifest import Entry

ASIDE = ("prepared/jobs", "prepared/studies", "prepared/dicomweb")
"""Folders that are left out: paths of this machine, and copies of inputs."""

TABLE = "jobs.sqlite"
"""Beginning of the names of a table of jobs, which is left out: of this machine too, and not written whole."""

_PATIENCE = 10.0  # seconds of looking at a folder in which files change; ours
_BLOCK = 2**24

Mark = tuple[int, int, int]
"""Inode, size and time of a file: another one where it was written since."""


def frozen(folder: Path, *, known: Mapping[str, Mark], beside: Path) -> tuple[dict[str, Mark], dict[str, Path]]:
    """The marks of all files by name, and of those without a `known` one a link in `beside`, whatever replaces them.

    Where two looks in a row find the same, that was the state between them. Hidden files are temporary ones and are
    left out. UnavailableError where files change faster than the folder can be looked at.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        with suppress(FileNotFoundError):
            marks = look(folder)
            changed = [name for name, mark in marks.items() if known.get(name) != mark]
            held = {name: beside / str(number) for number, name in enumerate(changed)}
            for name, link in held.items():
                os.link(folder / name, link)
            if look(folder) == marks:
                return marks, held
    raise UnavailableError("files change faster than their folder can be looked at")


def blocks(path: Path, size: int) -> Iterator[bytes]:
    """The first `size` bytes of a file; a log may have grown since."""
    with path.open("rb") as file:
        while size and (block := file.read(min(size, _BLOCK))):
            size -= len(block)
            yield block


def entry_of(path: Path, size: int) -> Entry:
    """The digest of the first `size` bytes of a file."""
    digest = hashlib.sha256()
    for block in blocks(path, size):
        digest.update(block)
    return Entry(digest.hexdigest(), size)


def look(folder: Path) -> dict[str, Mark]:
    """The marks of all files that are sent, by name; FileNotFoundError where one goes meanwhile."""
    found = {}
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = [each for each in folders if each[0] != "." and f"{here.name}/{each}" not in ASIDE]
        for name in names:
            status = (here / name).lstat()
            if S_ISREG(status.st_mode) and not name.startswith((".", TABLE)):
                mark = status.st_ino, status.st_size, status.st_mtime_ns
                found[(here / name).relative_to(folder).as_posix()] = mark
    return found
