"""Read copy: a folder of a store on this machine as one manifest says, which does not change while it is read."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from hepatica.cohort.atomic import holding
from hepatica.cohort.errors import RunError
from hepatica.cohort.remote.far_folder import FarFolder
from hepatica.cohort.remote.local_copy import LocalCopy, called, copies_of, differs
from hepatica.cohort.remote.manifest import Manifest, digest_of


@contextmanager
def read_copy(far: FarFolder) -> Iterator[Path]:
    """Yield a copy of the folder, without what was prepared and the work of a training.

    Errors as `mirrored`. Copies of earlier states that no process reads are removed, except for what serves this one.
    """
    base = copies_of(far.url) / "read"
    with ExitStack() as held:
        with holding(base / ".lock"):
            folder = _brought(far, base, held)
        yield folder


def _brought(far: FarFolder, base: Path, held: ExitStack) -> Path:
    while text := far.read():
        files = Manifest.parsed(text).files
        wanted = {name: entry for name, entry in files.items() if not _unread(name)}
        copy = LocalCopy(base / digest_of(text)[:32] / called(far.url))
        _remove_others(base, copy.beside)
        copy.beside.mkdir(exist_ok=True)
        lock = held.enter_context((copy.beside / ".lock").open("w"))
        try:
            if _is_free(lock):
                copy.clear(wanted)
            with suppress(OSError):  # a file system without locks
                fcntl.flock(lock, fcntl.LOCK_SH)
            copy.bring(far, wanted, lacks=differs)
        except RunError:
            if far.read() == text:  # else it was written meanwhile
                raise
        else:
            return copy.folder
    raise RunError("the store has no folder there that hepatica wrote; correct the URL")


def _remove_others(base: Path, own: Path) -> None:
    for each in base.iterdir():
        if not each.is_dir() or each == own:
            continue
        with (each / ".lock").open("w") as lock:
            if not _is_free(lock):
                continue
            if own.exists():
                shutil.rmtree(each)
            else:
                each.rename(own)  # most of its files are as wanted, and the others are going to be


def _is_free(lock: IO[str]) -> bool:
    """Whether no process reads the copy, which is then this one's alone."""
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _unread(name: str) -> bool:
    return not {"prepared", "work"}.isdisjoint(PurePosixPath(name).parts[:-1])
