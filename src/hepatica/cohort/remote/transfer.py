"""Transfer: one file of a store to this machine, whole, checked, and resumed where it broke off.

fsspec reads the store; who may read it is written where that store's own tools look for it, never in a URL.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC, EROFS
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from hepatica.cohort.errors import HepaticaError, SpecimenError, UnavailableError

SCHEMES = ("abfs", "az", "gcs", "gs", "hdfs", "http", "https", "memory", "s3", "s3a", "sftp", "webdav", "webhdfs")
"""Stores that a table may name. Not file: a path of this machine stays inside the cohort folder."""

VERSION = ".version"
"""Beside a file that was brought, which version of it that is."""

_BLOCK = 2**24  # bytes asked for at once
_ATTEMPTS = 4
_STAMPS = ("size", "ETag", "Last-Modified", "LastModified", "mtime", "created", "md5Hash", "content_md5")

T = TypeVar("T")


def is_offline() -> bool:
    """Whether --offline, or HF_HUB_OFFLINE, forbids every connection."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def is_url(cell: str) -> bool:
    """Whether a cell of a table names a file in a store and not one of this machine."""
    return "://" in cell


def refused(url: str) -> str:
    """Why this URL is not read; "" where it is."""
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES:
        return (
            f"got a URL of the kind {scheme!r}, wanted one of {', '.join(SCHEMES)}, or a path inside the cohort folder"
        )
    return "got a URL, which --offline, or HF_HUB_OFFLINE=1, forbids to read; leave that out" if is_offline() else ""


def address_and_name(url: str) -> tuple[str, str]:
    """What the store is asked for, and the name of the file."""
    if url.startswith("http"):
        address, _, name = url.partition("#")
        return address, name or urlsplit(address).path.rpartition("/")[2]
    return url, url.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A file as its store describes it: `size` in bytes, None where that is not known; `version` changes with it, and
    is its `md5` where that is given.
    """

    url: str
    size: int | None
    version: str
    md5: str

    def is_at(self, place: Path) -> bool:
        """Whether it was brought there as it now is."""
        version = place.with_name(VERSION)
        return place.is_file() and version.is_file() and version.read_text() == self.version


def bring(url: str, to: Path, *, md5: str = "") -> None:
    """Bring what lies at `url` to the path `to`, in a folder of its own, unless it is there as the store has it.

    Bytes gather in a hidden file beside it, which outlives a stop at any moment; the next call asks for the rest only,
    and starts over where the store does not offer that, or has another version. Size, and `md5` where it is given (32
    hexadecimal digits), must be right before it is moved into place. A fault is waited for, at most four in a row.
    SpecimenError where there is no such file, access is denied, or the bytes are not those wanted; UnavailableError
    where the store cannot be reached or a package is missing. No message has the URL, which may name a patient or hold
    a key.
    """
    bring_described(described(url, md5=md5), to)


def described(url: str, *, md5: str) -> Remote:
    """What a store says of a file. Errors as `bring`."""
    if reason := refused(url):
        raise UnavailableError(reason)
    files, key = _store(url)
    about = _patiently(lambda: files.info(key))
    if about.get("type") == "directory":
        raise SpecimenError("got a folder of a store, wanted one file; give an archive (.zip) of it")
    stamps = {name: str(about[name]) for name in _STAMPS if about.get(name) is not None}
    return Remote(url=url, size=about.get("size"), version=md5 or json.dumps(stamps), md5=md5)


def bring_described(file: Remote, to: Path) -> None:
    """`bring` what was described."""
    if file.is_at(to):
        to.with_name(VERSION).touch()
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(to.parent):
        if file.is_at(to):
            return
        part = to.with_name(f".{hashlib.sha256(file.version.encode()).hexdigest()[:16]}.part")
        for left in to.parent.glob(".*.part"):
            if left != part:
                left.unlink()
        _patiently(lambda: _gather(file, part), progress=lambda: _size(part))
        _check(file, part)
        part.replace(to)
        to.with_name(VERSION).write_text(file.version)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _gather(file: Remote, part: Path) -> None:
    """Add what is not there yet of a file."""
    files, key = _store(file.url)
    try:
        with files.open(key, "rb", block_size=_BLOCK, cache_type="none") as source, part.open("ab") as own:
            if have := own.tell():
                source.seek(have)
            while block := source.read(_BLOCK):
                own.write(block)
                if file.size is not None and own.tell() >= file.size:
                    return
    except ValueError:  # a server that sends files only from their beginning
        part.unlink()
        files.get_file(key, str(part))


def _check(file: Remote, part: Path) -> None:
    """Wait until the bytes are on the disk, and compare them with what was announced."""
    with part.open("r+b") as written:
        md5 = hashlib.file_digest(written, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() if file.md5 else ""
        os.fsync(written.fileno())
    if (file.size is not None and _size(part) != file.size) or md5 != file.md5:
        size = _size(part)
        part.unlink()
        raise SpecimenError(
            f"got {size} bytes of md5 {md5 or 'not computed'}, wanted {file.size} of {file.md5 or 'any'}; the damaged"
            " file was removed, run the same command again"
        )


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _store(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the file's key there."""
    import fsspec

    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(address_and_name(url)[0])
    except ImportError as error:
        raise UnavailableError(f"this kind of URL needs a further package: {error}") from None
    return found


def _patiently(act: Callable[[], T], *, progress: Callable[[], int] = lambda: 0) -> T:
    """What `act` returns, tried again with growing pauses; a row of faults begins anew whenever `progress` has grown.

    Clients of stores raise anything; what a store says of a file that is absent or forbidden is not tried again.
    """
    faults, reached = 0, progress()
    while True:
        try:
            return act()
        except HepaticaError:
            raise
        except Exception as error:
            if getattr(error, "errno", None) in (ENOSPC, EDQUOT, EROFS):
                raise UnavailableError("the disk for files of stores is full; free space, or choose another") from None
            if reason := _final(error):
                raise SpecimenError(reason) from None
            faults = 1 if progress() > reached else faults + 1
            reached = max(reached, progress())
            if faults == _ATTEMPTS:
                kind = type(error.__cause__ or error).__name__
                raise UnavailableError(
                    f"the store cannot be read ({kind}); check the network or proxy and run the same command again,"
                    " what was brought is kept"
                ) from None
        time.sleep(2.0 ** (faults - 1))


def _final(error: Exception) -> str:
    """What a store has said for good; fsspec takes every fault of http for an absent file, with the true one behind."""
    behind = error.__cause__
    passing = isinstance(behind, OSError) or type(behind).__module__.startswith("aiohttp")
    status = getattr(behind or error, "status", None)
    if isinstance(error, PermissionError) or status in (401, 403):
        return "the store denies access to this file; check who may read it, and the credentials"
    if status in (404, 410) or (isinstance(error, FileNotFoundError) and not passing):
        return "the store has no such file; correct the URL"
    return ""
