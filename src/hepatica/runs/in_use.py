"""In use: one process at a time writes in a run folder; what killed ones left half-written there is removed."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from hepatica.cohort import RunError
from hepatica.cohort.atomic import sweep

LOCK = ".in_use"
"""Which process works in a folder, as long as it does."""

_RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # of the processes of one training, the first is 0


@contextmanager
def in_use(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a folder, made if need be, for this process, or `shared` with others that share it; RunError where another
    one holds it.

    The operating system lets go of the lock when its process ends, however that ends, so that a stale one hinders no
    run. Further processes of one training share the first one's.
    """
    if any(int(os.environ.get(name) or 0) > 0 for name in _RANKS):
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    file = _held(folder / LOCK, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        sweep(folder)
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # others may still share it
            (folder / LOCK).unlink(missing_ok=True)
        os.close(file)


def _held(lock: Path, kind: int) -> int:
    """The open and locked file, with the number and the machine of this process and the time in it."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(file, 1000).decode(errors="replace") or "it has just begun"
        os.close(file)
        raise RunError(
            f"{lock.parent} is in use by another process ({holder}); wait for its end, or choose another folder"
        ) from None
    except OSError:  # a file system without locks: what is not known cannot be refused
        pass
    if not lock.exists() or lock.stat().st_ino != os.fstat(file).st_ino:  # its last holder has just removed it
        os.close(file)
        return _held(lock, kind)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    os.truncate(file, 0)
    os.write(file, f"process {os.getpid()} on {socket.gethostname()}, since {since}".encode())
    return file
