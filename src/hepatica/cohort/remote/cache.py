"""Cache: files of specimens that lie in stores, brought to this machine, within a bound."""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

from hepatica.cohort.errors import HepaticaError, SettingsError, UnavailableError
from hepatica.cohort.remote.transfer import (
    VERSION,
    Remote,
    address_and_name,
    bring,
    bring_described,
    described,
    size_of,
)

if TYPE_CHECKING:
    from hepatica.cohort.specimens import Specimen

T = TypeVar("T")

CACHE, CACHE_GB = "HEPATICA_CACHE", "HEPATICA_CACHE_GB"
"""Environment variables: the folder of files that were brought, and how many GB it may hold."""

MOST_GB = 50.0
"""Where nothing else is said. Ours."""

_THREADS = 4


def place_of(url: str, folder: Path | None = None) -> Path:
    """Where the file of a URL lies once it was brought: in the user's cache, or in `folder`.

    It has the name at the end of the URL; of http, behind a # if there is one, which no server is sent.
    """
    name = re.sub(r"[^\w.-]", "_", unquote(address_and_name(url)[1]))[-100:].lstrip(".") or "file"
    return (folder or _cache()) / hashlib.sha256(url.encode()).hexdigest()[:32] / name


def _cache() -> Path:
    user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get(CACHE) or Path(user, "hepatica", "specimens"))


def bring_beside(specimen: "Specimen", folder: Path) -> "Specimen":
    """The specimen with all of its files on this machine, those of URLs brought into `folder`. Errors as `bring`."""
    places = {column: place_of(url, folder) for column, url in specimen.urls.items()}
    for column, url in specimen.urls.items():
        bring(url, places[column], md5=_md5(specimen, column), room=_most_bytes())
    attachments = {**specimen.attachments, **{name: path for name, path in places.items() if name != "path"}}
    return replace(specimen, path=places.get("path", specimen.path), attachments=attachments)


def version_of(specimen: "Specimen") -> str:
    """What changes when any of the files in a store that belong to a specimen does. Errors as `bring`."""
    sums = {url: _md5(specimen, name) for name, url in specimen.urls.items()}
    return "\n".join(md5 or described(url, md5=md5).version for url, md5 in sums.items())


def bring_all(specimens: Sequence["Specimen"]) -> None:
    """Bring all files of these specimens that are named by URLs into the cache, the least recently used others leaving
    it where they do not fit. Errors as `bring`, with the row; UnavailableError where they cannot fit.
    """
    wanted = [(each, column, url) for each in specimens for column, url in each.urls.items()]
    if not wanted:
        return
    from hepatica.cohort.preparation import tracked  # which needs digests, and those this module

    with ThreadPoolExecutor(_THREADS) as pool:
        asked = pool.map(lambda own: _of_row(own, lambda: described(own[2], md5=_md5(own[0], own[1]))), wanted)
        found = dict(zip((place_of(url) for _, _, url in wanted), asked, strict=True))
        room = _make_room(found)
        brought = pool.map(lambda own: _of_row(own, lambda: _bring(found, place_of(own[2]), room=room)), wanted)
        for _ in tracked(brought, "Bringing files", len(wanted)):
            pass


def _bring(found: Mapping[Path, Remote], place: Path, *, room: float) -> None:
    bring_described(found[place], place, room=room)


def _of_row(own: "tuple[Specimen, str, str]", act: Callable[[], T]) -> T:
    specimen, column, _ = own
    try:
        return act()
    except HepaticaError as error:
        raise type(error)(f"specimens.csv row {specimen.row} column {column}: {error}") from error


def _md5(specimen: "Specimen", column: str) -> str:
    return specimen.extra.get("md5", "") if column == "path" else ""


def _make_room(found: Mapping[Path, Remote]) -> float:
    """Remove other files from the cache, the least recently used first, until these fit; what is left for each whose
    size is not known.
    """
    most = _most_bytes()
    need = sum(size_of(place) if each.size is None else each.size for place, each in found.items())
    if need > most:
        raise UnavailableError(
            f"the files of these specimens have {need / 1e9:.1f} GB, and the cache may hold {most / 1e9:.1f} GB: set"
            f" {CACHE_GB}, or make features of slides one by one with hepatica features"
        )
    _hold(_cache())
    kept = {each.parent for each in found}
    size = {each: _bytes_in(each) for each in sorted(_cache().glob("*/"), key=_used) if each not in kept}
    if need + sum(size.values()) > most:
        with _alone():
            for folder in list(size):
                shutil.rmtree(folder)
                size.pop(folder)
                if need + sum(size.values()) <= most:
                    break
    unknown = sum(each.size is None for each in found.values())
    return (most - need - sum(size.values())) / max(unknown, 1)


def _bytes_in(folder: Path) -> int:
    return sum(map(size_of, folder.iterdir()))


def _used(folder: Path) -> float:
    """When its file was last brought or found here; what was left half-brought goes first."""
    version = folder / VERSION
    return version.stat().st_mtime if version.exists() else 0.0


def _most_bytes() -> float:
    given = os.environ.get(CACHE_GB, str(MOST_GB))
    with suppress(ValueError):
        if (found := float(given)) > 0:
            return found * 1e9
    raise SettingsError(f"{CACHE_GB}: got {given!r}, wanted a number of GB")


@lru_cache(maxsize=1)
def _hold(cache: Path) -> int:
    """A lock that this process shares with others which read the cache, until it ends: what was brought is read by
    what comes after. On a file system without locks nothing is held.
    """
    cache.mkdir(parents=True, exist_ok=True)
    file = os.open(cache / ".in_use", os.O_RDWR | os.O_CREAT, 0o666)
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_SH)
    return file


@contextmanager
def _alone() -> Iterator[None]:
    """Take care that no other process reads what is removed within the block."""
    file = _hold(_cache())
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnavailableError(
                "the cache of files is full, and another process uses it; wait for its end, or set"
                f" {CACHE_GB} or {CACHE}"
            ) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_SH)
