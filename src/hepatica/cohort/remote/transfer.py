"""Transfer: one file of a store to this machine, whole, checked, and resumed where it broke off.

fsspec reads the store; who may read it is written where that store's own tools look for it, never in a URL.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC, EROFS
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from hepatica.cohort.atomic import holding
from hepatica.cohort.errors import HepaticaError, SpecimenError, UnavailableError

SCHEMES = ("abfs", "az", "gcs", "gs", "hdfs", "http", "https", "s3", "s3a", "sftp", "webdav", "webhdfs")
"""Stores that a table may name. Not file: a path of this machine stays inside the cohort folder."""

VERSION = ".version"
"""Beside a file that was brought, which version of it that is."""

ABSENT = "the store has no such file; correct the URL"
DENIED = "the store denies access to this file; check who may read it, and the credentials"
"""What a store says for good."""

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
    try:
        urlsplit(url)
    except ValueError:
        return "got a URL whose host is malformed, wanted such as https://store.my-hospital.org/1.svs; correct it"
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


def bring(url: str, to: Path, *, md5: str = "", room: float) -> None:
    """Bring what lies at `url` to the path `to`, in a folder of its own, unless it is there as the store has it.

    Bytes gather in a hidden file beside it, which outlives a stop at any moment; the next call asks for the rest only,
    and starts over where the store does not offer that, or has another version. Size, and `md5` where it is given (32
    hexadecimal digits), must be right before it is moved into place. Where the store does not say the size there must
    be an `md5`, and `room` is the most bytes. A fault is waited for: at most four in a row, of which bytes that are
    kept begin a new one. SpecimenError where there is no such file, access is denied, its size and checksum are both
    unknown, or the bytes are not those wanted; UnavailableError where the store cannot be reached, a package is
    missing, or there is no room. No message has the URL, which may name a patient or hold a key.
    """
    bring_described(described(url, md5=md5), to, room=room)


def described(url: str, *, md5: str) -> Remote:
    """What a store says of a file. Errors as `bring`."""
    if reason := refused(url):
        raise UnavailableError(reason)
    about = patiently(lambda: _info(url))
    if about.get("type") == "directory":
        raise SpecimenError("got a folder of a store, wanted one file; give an archive (.zip) of it")
    stamps = {name: str(about[name]) for name in _STAMPS if about.get(name) is not None}
    if not md5 and "size" not in stamps:
        raise SpecimenError("the store does not say how large this file is; give its checksum in a column md5")
    return Remote(url=url, size=about.get("size"), version=md5 or json.dumps(stamps), md5=md5)


def _info(url: str) -> dict[str, Any]:
    files, key = store(url)
    found: dict[str, Any] = files.info(key)
    return found


def bring_described(file: Remote, to: Path, *, room: float) -> None:
    """`bring` what was described."""
    if file.is_at(to):
        to.with_name(VERSION).touch()
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    with holding(to.parent / ".lock"):
        if file.is_at(to):
            return
        part = to.with_name(f".{hashlib.sha256(file.version.encode()).hexdigest()[:16]}.part")
        for left in to.parent.glob(".*.part"):
            if left != part:
                left.unlink()
        patiently(lambda: _gather(file, part, room=room), progress=lambda: size_of(part))
        _check(file, part)
        part.replace(to)
        to.with_name(VERSION).write_text(file.version)


def _gather(file: Remote, part: Path, *, room: float) -> None:
    """Add what is not there yet of a file.

    From a server that sends files only from their beginning it comes beside `part`, which is no progress until whole.
    """
    files, key = store(file.url)
    try:
        with files.open(key, "rb", block_size=_BLOCK, cache_type="none") as source, part.open("ab") as own:
            if getattr(source, "size", 0) is None:
                raise ValueError("a stream, which cannot be resumed")
            if have := own.tell():
                source.seek(have)
            _pour(source, own, file, room=room)
    except ValueError:
        part.unlink(missing_ok=True)
        whole = part.with_suffix(".whole.part")
        with files.open(key, "rb", block_size=0) as source, whole.open("wb") as own:
            _pour(source, own, file, room=room)
        whole.replace(part)


def _pour(source: Any, own: BinaryIO, file: Remote, *, room: float) -> None:
    """Write blocks up to the size of the file, or where that is not known, the end of them within the room."""
    while block := source.read(_BLOCK):
        own.write(block)
        if file.size is not None and own.tell() >= file.size:
            return
        if file.size is None and own.tell() > room:
            own.truncate(0)
            raise UnavailableError(
                f"the store does not say how large this file is, and it has more than the {room / 1e9:.1f} GB for which"
                " there is room; set HEPATICA_CACHE_GB, or bring the file yourself"
            )


def _check(file: Remote, part: Path) -> None:
    """Wait until the bytes are on the disk, and compare them with what was announced."""
    with part.open("r+b") as written:
        md5 = hashlib.file_digest(written, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() if file.md5 else ""
        os.fsync(written.fileno())
    if (file.size is not None and size_of(part) != file.size) or md5 != file.md5:
        size = size_of(part)
        part.unlink()
        raise SpecimenError(
            f"got {size} bytes of md5 {md5 or 'not computed'}, wanted {file.size} of {file.md5 or 'any'}; the damaged"
            " file was removed, run the same command again"
        )


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where it is not there, or no longer."""
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def store(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the file's key there."""
    import fsspec

    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(
            address_and_name(url)[0], **(_of_http(fsspec.config.conf) if url.startswith("http") else {})
        )
    except ImportError as error:
        raise UnavailableError(f"this kind of URL needs a further package: {error}") from None
    return found


def _of_http(given: Mapping[str, Any]) -> dict[str, Any]:
    """A file may take hours, but no server may be silent for longer than these; all else as the user's files say."""
    from aiohttp import ClientTimeout

    own = {**given.get("http", {}), **given.get("https", {})}.get("client_kwargs", {})
    return {"client_kwargs": {"timeout": ClientTimeout(total=None, sock_connect=30, sock_read=60), **own}}


def patiently(act: Callable[[], T], *, progress: Callable[[], int] = lambda: 0) -> T:
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
            if reason := final(error):
                raise SpecimenError(reason) from None
            faults = 1 if progress() > reached else faults + 1
            reached = max(reached, progress())
            if faults == _ATTEMPTS:
                kind = type(error.__cause__ or error).__name__
                raise UnavailableError(
                    f"the store cannot be read or written ({kind}); check the network or proxy and run the same command"
                    " again, what was brought is kept"
                ) from None
        time.sleep(2.0 ** (faults - 1))


def final(error: Exception) -> str:
    """What a store has said for good; fsspec takes every fault of http for an absent file, with the true one behind."""
    behind = error.__cause__
    passing = isinstance(behind, OSError) or type(behind).__module__.startswith("aiohttp")
    status = getattr(behind or error, "status", None)
    if isinstance(error, PermissionError) or status in (401, 403):
        return DENIED
    if status in (404, 410) or (isinstance(error, FileNotFoundError) and not passing):
        return ABSENT
    return ""
