"""Digests: of every byte of a file or folder, computed once as long as its files stay as they are."""

import hashlib
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hepatica.cohort.atomic import holding, replacing
from hepatica.cohort.errors import RunError
from hepatica.cohort.remote import bring_all

if TYPE_CHECKING:
    from hepatica.cohort.specimens import Specimen

T = TypeVar("T")
U = TypeVar("U")

CONTENT = 32
"""Hexadecimal digits by which a run knows the content of a file."""

_LARGE = 2**24
"""Bytes from which a digest is kept for the next command: less is read faster than it is looked up. Ours."""

_SETTLED_NS = 2 * 10**9
"""A file changed in these last nanoseconds may change again within one tick of the clock of its times. Ours."""

_BESIDE = ("", ".spar", ".SPAR")
_MANY = 200
_THREADS = 4
_Key = tuple[str, tuple[tuple[int, ...], ...]]
_known: dict[_Key, bytes] = {}


def content_digest(path: Path) -> bytes:
    """SHA-256 of a file, or of all the files of a folder in whatever order; nothing where there is nothing to read.

    Every byte counts. The digest of a file whose inode, size and times (of content and of status, which no program can
    set back) are those of an earlier look, by any machine that shares the cache, is that of then.
    """
    try:
        if path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.is_file() and each.stat().st_size)
            return _once("sha256", files, lambda: _together(files)) if files else b""
        return digest_once(path, "sha256") if path.stat().st_size else b""
    except OSError:
        return b""


def digest_once(path: Path, algorithm: str) -> bytes:
    """Digest of a file by `hashlib`'s algorithm of that name, read again only where the file is not as it was."""
    return _once(algorithm, [path], lambda: _read(path, algorithm))


def remember(path: Path, algorithm: str, digest: bytes) -> None:
    """Take a digest of a file that was computed otherwise, and before anyone else could write into the file."""
    _keep((algorithm, (_mark(path),)), digest)


def file_digest(path: Path) -> str:
    """SHA-256 of a file that is there, in hexadecimal digits, read anew."""
    return _read(path, "sha256").hex()


def contents(specimens: Sequence["Specimen"]) -> dict[str, str]:
    """Digest of each specimen's file and of those that belong to it, by its row in specimens.csv.

    To a file belong its attachments, the folder of a slide (.mrxs) and the header of a spectrum (.SPAR). Files that lie
    in a store are brought first, with the errors of `remote.bring_all`.
    """
    bring_all(specimens)

    def both(specimen: "Specimen") -> str:
        path = specimen.path
        beside = [path.with_suffix(each) for each in _BESIDE]
        further = [
            *(path for _, path in sorted(specimen.attachments.items())),
            *(each for each in beside if each != path),
        ]
        own, others = content_digest(path) or f"row {specimen.row}".encode(), b"".join(map(content_digest, further))
        return content_name(own) + (content_name(others) if others else "")

    return {str(each.row): found for each, found in zip(specimens, _of_each(both, specimens), strict=True)}


def content_digests(paths: Sequence[Path]) -> list[bytes]:
    """`content_digest` of each. Of processes that ask for the same large files at the same time each reads some."""
    return _of_each(content_digest, paths)


def _of_each(work: Callable[[T], U], things: Sequence[T]) -> list[U]:
    """On several threads, begun in an order of chance, so that processes seldom wait for the same file (`_in_turn`)."""
    from hepatica.cohort.preparation import tracked  # which needs digests itself

    order = random.Random().sample(range(len(things)), len(things))
    with ThreadPoolExecutor(_THREADS) as pool:
        done = pool.map(lambda place: work(things[place]), order)
        found = dict(zip(order, tracked(done, "Checking files", len(things), silent=len(things) < _MANY), strict=True))
    return [found[place] for place in range(len(things))]


def content_name(content: bytes) -> str:
    """The digits by which a run knows a content."""
    return hashlib.sha256(content).hexdigest()[:CONTENT]


def refuse_replaced(now: Mapping[str, str], before: Mapping[str, str], *, since: str) -> None:
    """RunError naming the rows of specimens.csv whose files are no longer those of before; `since` says what was."""
    from hepatica.cohort.faults import rows_in_words  # brings pandas

    rows = sorted(int(row) for row in now.keys() & before.keys() if now[row] != before[row])
    if rows:
        raise RunError(
            f"specimens.csv {rows_in_words(rows)}: files were replaced since {since}; put the files back, or choose a"
            " new folder for new results"
        )


def _together(files: Sequence[Path]) -> bytes:
    return hashlib.sha256(b"".join(sorted(_read(each, "sha256") for each in files))).digest()


def _read(path: Path, algorithm: str) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).digest()


def _once(algorithm: str, files: Sequence[Path], made: Callable[[], bytes]) -> bytes:
    key = (algorithm, tuple(sorted(map(_mark, files))))
    if (found := _known.get(key) or _kept(key)) is not None:
        return found
    if max(max(mark[2:]) for mark in key[1]) >= time.time_ns() - _SETTLED_NS:
        return made()
    with _in_turn(key):
        if (found := _kept(key)) is None:
            found = made()
            _keep(key, found)
    return found


@contextmanager
def _in_turn(key: _Key) -> Iterator[None]:
    """Of those who need the digest of a large file at the same time, one reads it, and the others wait."""
    with ExitStack() as held:
        if _is_large(key):
            with suppress(OSError):
                held.enter_context(holding(_place(key).with_suffix(".lock")))
        yield


def _mark(path: Path) -> tuple[int, ...]:
    """Not the device, whose number is another on each machine that mounts it: the path says on which a file is."""
    status, place = path.stat(), int.from_bytes(hashlib.sha256(os.path.abspath(path).encode()).digest()[:8])
    return place << 64 | status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _is_large(key: _Key) -> bool:
    return sum(mark[1] for mark in key[1]) >= _LARGE


def _keep(key: _Key, found: bytes) -> None:
    _known[key] = found
    if _is_large(key):
        with suppress(OSError), replacing(_place(key)) as temporary:
            temporary.write_bytes(found)


def _kept(key: _Key) -> bytes | None:
    if _is_large(key):
        with suppress(OSError):
            found = _place(key).read_bytes()
            return found if len(found) == hashlib.new(key[0], usedforsecurity=False).digest_size else None
    return None


def _place(key: _Key) -> Path:
    """In the user's cache, which may be deleted at any time."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache, "hepatica", "digests", hashlib.sha256(repr(key).encode()).hexdigest())
