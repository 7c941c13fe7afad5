"""Far folder: a folder in a store, whose manifest says which of its objects count.

Objects lie under the names of their files. What is sent lies staged until the manifest names it. So the folder is,
whatever ends a process and when, as it was at one instant, and what no manifest ever named is found and removed.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hepatica.cohort.digests import file_digest
from hepatica.cohort.errors import RunError, SpecimenError, UnavailableError
from hepatica.cohort.remote.manifest import LONGEST, MANIFEST, Entry, Manifest
from hepatica.cohort.remote.snapshot import blocks
from hepatica.cohort.remote.transfer import ABSENT, DENIED, Remote, bring_described, final, patiently, store

STAGED = ".staged"
"""Where files lie, by digest, until they are put in their places."""

_THREADS = 8
_BLOCK = 2**24

T = TypeVar("T")


@dataclass(frozen=True)
class FarFolder:
    """A folder at a URL. Its methods raise as `transfer.bring` does."""

    url: str

    def read(self) -> bytes:
        """The manifest; nothing where there is none."""

        def read(files: Any, root: str) -> bytes:
            try:
                with files.open(f"{root}/{MANIFEST}", "rb") as source:
                    return bytes(source.read(LONGEST + 1))
            except FileNotFoundError as error:
                if final(error) != ABSENT:
                    raise
                return b""

        return self._ask(read)

    def listed(self, folder: str = "") -> list[str]:
        """The names of what lies in it, or in a folder of it."""

        def listed(files: Any, root: str) -> list[str]:
            try:
                return [str(each).rpartition("/")[2] for each in files.ls(f"{root}/{folder}", detail=False)]
            except FileNotFoundError:
                return []

        return self._ask(listed)

    def send(self, changed: Mapping[str, Path], now: Mapping[str, Entry]) -> None:
        """Stage the `changed` of the files that there are `now`, from these paths, each content once.

        UnavailableError where one is written while it is sent.
        """

        def send(name: str) -> None:
            key = f"{STAGED}/{now[name].sha256}"
            if self._ask(lambda files, root: _write(files, f"{root}/{key}", changed[name], now[name])) != now[name]:
                raise UnavailableError(f"{name} changed while it was sent")

        each_of(send, {now[name].sha256: name for name in changed}.values())

    def name(self, manifest: Manifest) -> None:
        """Say that these are the files."""
        self._ask(lambda files, root: files.pipe_file(f"{root}/{MANIFEST}", manifest.text))

    def settle(self, manifest: Manifest, *, every: bool) -> None:
        """Put staged files of its manifest in their places and remove what is gone; with `every`, all that is staged.

        Without it, what is not in the manifest may be another process's, which will find out that this one is there.
        """
        staged = set(self.listed(STAGED))
        moved = {name: f"{STAGED}/{own.sha256}" for name, own in manifest.files.items() if own.sha256 in staged}
        each_of(self._remove, manifest.gone)  # first: there are stores in which no file can lie where a folder is
        each_of(lambda name: self._copy(moved[name], name), moved)
        left = (f"{STAGED}/{each}" for each in staged) if every else set(moved.values())
        each_of(self._remove, left)

    def bring(self, name: str, entry: Entry, *, to: Path, coming: Path) -> None:
        """Bring a file, from its place or where it is staged, by way of `coming`; RunError where it is in neither."""
        for key in (name, f"{STAGED}/{entry.sha256}", name):  # it may be put in its place between the first two
            part = coming / hashlib.sha256(f"{name} {key}".encode()).hexdigest() / "file"
            try:
                url = f"{self.url}/{key}"
                bring_described(Remote(url=url, size=entry.size, version=entry.sha256, md5=""), part, room=0)
            except SpecimenError as error:
                if str(error) == DENIED:
                    raise
                continue
            if right := file_digest(part) == entry.sha256:
                to.parent.mkdir(parents=True, exist_ok=True)
                part.replace(to)
            shutil.rmtree(part.parent)
            if right:
                return
        raise RunError(f"{name} in the store was changed or removed after it was sent; restore it there, as it was")

    def _copy(self, key: str, to: str) -> None:
        self._ask(lambda files, root: files.cp_file(f"{root}/{key}", f"{root}/{to}"))

    def _remove(self, key: str) -> None:
        def remove(files: Any, root: str) -> None:
            with suppress(FileNotFoundError):
                files.rm_file(f"{root}/{key}")

        self._ask(remove)

    def _ask(self, act: Callable[[Any, str], T]) -> T:
        def once() -> T:
            files, root = store(self.url)
            files.invalidate_cache()  # of listings, which others change
            return act(files, root)

        return patiently(once)


def each_of(act: Callable[[str], None], names: Iterable[str]) -> None:
    """Do something with each, some at a time."""
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(act, names))


def _write(files: Any, key: str, path: Path, entry: Entry) -> Entry:
    """Write an object; what was written."""
    digest, size = hashlib.sha256(), 0
    with files.open(key, "wb", block_size=_BLOCK) as sink:
        for block in blocks(path, entry.size):
            digest.update(block)
            size += sink.write(block)
    return Entry(digest.hexdigest(), size)
