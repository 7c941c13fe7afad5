"""Atomic: write a file whole or not at all, whatever happens in between; read what others wrote without a traceback."""

import fcntl
import json
import os
import re
import socket
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zlib import crc32

from hepatica.cohort.errors import RunError

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it onto `path` if the block ends well, else remove it.

    The move is atomic on one file system, so a reader sees the old file or the new one, never half of either.
    The temporary name keeps the suffix, because writers choose their format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{_HOST}-{os.getpid()}-{uuid4().hex[:8]}.part{path.suffix}")
    try:
        yield temporary
        with temporary.open("r+b") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno and not error.filename:
            error.filename = str(path)  # a full disk does not say which file it was
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def holding(lock: Path) -> Iterator[None]:
    """Hold a lock file within the block, which other processes and threads wait for; afterwards it is gone.

    The operating system lets go of it when its holder ends, however that ends. On a file system without locks nothing
    is held.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = _held(lock)
    try:
        yield
    finally:
        try:
            lock.unlink(missing_ok=True)
        finally:
            os.close(file)


def _held(lock: Path) -> int:
    while True:
        file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if lock.stat().st_ino == os.fstat(file).st_ino:
                return file
        os.close(file)  # its last holder has just removed it


_HOST = f"{crc32(socket.gethostname().encode()):08x}"


def sweep(folder: Path) -> None:
    """Remove from a folder, and those in it, what processes of this machine that were killed left half-written."""
    for left in folder.rglob(f".*.{_HOST}-*.part*"):
        process = int(left.name.rpartition(f".{_HOST}-")[2].partition("-")[0])
        if not runs(process):
            left.unlink(missing_ok=True)


def runs(process: int) -> bool:
    """Whether a process of this machine is there."""
    with suppress(PermissionError):  # another user's
        try:
            os.kill(process, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, indented, keys in the order given; NaN is an error, not invalid JSON."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_table(path: Path, table: "pd.DataFrame") -> None:
    """Write a CSV that is the same, byte for byte, on every system."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_json(path: Path) -> Any:
    """Read JSON; RunError when the file is damaged, which `write_json` never leaves behind."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged and not valid JSON ({error}); restore it, or repeat what wrote it") from None


def parse_toml(text: str) -> dict[str, Any]:
    """What a hand-made TOML text says; ValueError where it is none, or where it would take minutes to read.

    The time that keys such as a.b.c take grows with the square of their dots.
    """
    if len(text) > _LONGEST or _DOTTED.search(text):
        raise ValueError(f"it has more than {_LONGEST:,} characters, or a key of more than {_DEEPEST} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("its lists or tables are nested too deeply") from None


_LONGEST, _DEEPEST = 10**6, 64
_DOTTED = re.compile(rf"""(?<![\w"'-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{_DEEPEST}}}""")
