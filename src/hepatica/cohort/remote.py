"""Remote: files of a cohort that lie in a store, such as s3://bucket/key, brought to this machine when they are read.

fsspec reads the store; who may read it is written where that store's own tools look for it, never in a URL.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from errno import EDQUOT, ENOSPC, EROFS
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from hepatica.cohort.errors import HepaticaError, SettingsError, SpecimenError, UnavailableError

if TYPE_CHECKING:
    from hepatica.cohort.specimens import Specimen

SCHEMES = ("abfs", "az", "gcs", "gs", "hdfs", "http", "https", "memory", "s3", "s3a", "sftp", "webdav", "webhdfs")
"""Stores that a table may name. Not file: a path of this machine stays inside the cohort folder."""

CACHE, CACHE_GB = "HEPATICA_CACHE", "HEPATICA_CACHE_GB"
"""Environment variables: the folder of files that were brought, and how many GB it may hold."""

MOST_GB = 50.0
"""Where nothing else is said. Ours."""

_BLOCK = 2**24  # bytes asked for at once
_ATTEMPTS = 4
_THREADS = 4
_VERSION = ".version"
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


def place_of(url: str, folder: Path | None = None) -> Path:
    """Where the file of a URL lies once it was brought: in the user's cache, or in `folder`.

    It has the name at the end of the URL; of http, behind a # if there is one, which no server is sent.
    """
    name = re.sub(r"[^\w.-]", "_", unquote(_parts(url)[1]))[-100:].lstrip(".") or "file"
    return (folder or _cache()) / hashlib.sha256(url.encode()).hexdigest()[:32] / name


def _parts(url: str) -> tuple[str, str]:
    """What the store is asked for, and the name of the file."""
    if url.startswith("http"):
        address, _, name = url.partition("#")
        return address, name or urlsplit(address).path.rpartition("/")[2]
    return url, url.rpartition("/")[2]


def _cache() -> Path:
    user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get(CACHE) or Path(user, "hepatica", "specimens"))


@dataclass(frozen=True, kw_only=True)
class _Remote:
    """A file as its store describes it: `size` in bytes, None where that is not known; `version` changes with it, and
    is its `md5` where that is given.
    """

    url: str
    size: int | None
    version: str
    md5: str

    def is_at(self, place: Path) -> bool:
        """Whether it was brought there as it now is."""
        version = place.with_name(_VERSION)
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
    _bring(_described(url, md5=md5), to)


def bring_beside(specimen: "Specimen", folder: Path) -> "Specimen":
    """The specimen with all of its files on this machine, those of URLs brought into `folder`. Errors as `bring`."""
    places = {column: place_of(url, folder) for column, url in specimen.urls.items()}
    for column, url in specimen.urls.items():
        bring(url, places[column], md5=_md5(specimen, column))
    attachments = {**specimen.attachments, **{name: path for name, path in places.items() if name != "path"}}
    return replace(specimen, path=places.get("path", specimen.path), attachments=attachments)


def version_of(specimen: "Specimen") -> str:
    """What changes when any of the files in a store that belong to a specimen does. Errors as `bring`."""
    sums = {url: _md5(specimen, name) for name, url in specimen.urls.items()}
    return "\n".join(md5 or _described(url, md5=md5).version for url, md5 in sums.items())


def bring_all(specimens: Sequence["Specimen"]) -> None:
    """Bring all files of these specimens that are named by URLs into the cache, the least recently used others leaving
    it where they do not fit. Errors as `bring`, with the row; UnavailableError where they cannot fit.
    """
    wanted = [(each, column, url) for each in specimens for column, url in each.urls.items()]
    if not wanted:
        return
    from hepatica.cohort.preparation import tracked  # which needs digests, and those this module

    with ThreadPoolExecutor(_THREADS) as pool:
        asked = pool.map(lambda own: _of_row(own, lambda: _described(own[2], md5=_md5(own[0], own[1]))), wanted)
        found = dict(zip((place_of(url) for _, _, url in wanted), asked, strict=True))
        _make_room(found)
        brought = pool.map(lambda own: _of_row(own, lambda: _bring(found[place_of(own[2])], place_of(own[2]))), wanted)
        for _ in tracked(brought, "Bringing files", len(wanted)):
            pass


def _of_row(own: "tuple[Specimen, str, str]", act: Callable[[], T]) -> T:
    specimen, column, _ = own
    try:
        return act()
    except HepaticaError as error:
        raise type(error)(f"specimens.csv row {specimen.row} column {column}: {error}") from error


def _md5(specimen: "Specimen", column: str) -> str:
    return specimen.extra.get("md5", "") if column == "path" else ""


def _make_room(found: Mapping[Path, _Remote]) -> None:
    """Remove other files from the cache, the least recently used first, until these fit."""
    most = _most_bytes()
    need = sum(each.size or 0 for each in found.values())
    if need > most:
        raise UnavailableError(
            f"the files of these specimens have {need / 1e9:.1f} GB, and the cache may hold {most / 1e9:.1f} GB: set"
            f" {CACHE_GB}, or make features of slides one by one with hepatica features"
        )
    _hold(_cache())
    kept = {each.parent for each in found}
    size = {each: _bytes_in(each) for each in sorted(_cache().glob("*/"), key=_used) if each not in kept}
    for folder in list(size):
        if need + sum(size.values()) <= most:
            return
        _alone()
        size.pop(folder)
        shutil.rmtree(folder)


def _bytes_in(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.iterdir())


def _used(folder: Path) -> float:
    """When its file was last brought or found here; what was left half-brought goes first."""
    version = folder / _VERSION
    return version.stat().st_mtime if version.exists() else 0.0


def _most_bytes() -> float:
    given = os.environ.get(CACHE_GB, str(MOST_GB))
    with suppress(ValueError):
        if (found := float(given)) > 0:
            return found * 1e9
    raise SettingsError(f"{CACHE_GB}: got {given!r}, wanted a number of GB")


@lru_cache(maxsize=1)
def _hold(cache: Path) -> int:
    """A lock that this process shares with others which read the cache, until it ends."""
    cache.mkdir(parents=True, exist_ok=True)
    file = os.open(cache / ".in_use", os.O_RDWR | os.O_CREAT, 0o666)
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def _alone() -> None:
    """Take care that no other process reads what is to be removed."""
    file = _hold(_cache())
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UnavailableError(
            f"the cache of files is full, and another process uses it; wait for its end, or set {CACHE_GB} or {CACHE}"
        ) from None
    finally:
        fcntl.flock(file, fcntl.LOCK_SH)


def _described(url: str, *, md5: str) -> _Remote:
    if reason := refused(url):
        raise UnavailableError(reason)
    files, key = _store(url)
    about = _patiently(lambda: files.info(key))
    if about.get("type") == "directory":
        raise SpecimenError("got a folder of a store, wanted one file; give an archive (.zip) of it")
    stamps = {name: str(about[name]) for name in _STAMPS if about.get(name) is not None}
    return _Remote(url=url, size=about.get("size"), version=md5 or json.dumps(stamps), md5=md5)


def _bring(file: _Remote, to: Path) -> None:
    if file.is_at(to):
        to.with_name(_VERSION).touch()
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
        to.with_name(_VERSION).write_text(file.version)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _gather(file: _Remote, part: Path) -> None:
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


def _check(file: _Remote, part: Path) -> None:
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
        found: tuple[Any, str] = fsspec.core.url_to_fs(_parts(url)[0])
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
