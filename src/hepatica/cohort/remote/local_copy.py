"""Local copy: a folder of a store on this machine, with a note of what the store has had, so that all else is kept."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.digests import digest_once
from hepatica.cohort.remote.far_folder import FarFolder, each_of
from hepatica.cohort.remote.manifest import Entry, digest_of
from hepatica.cohort.remote.snapshot import look
from hepatica.cohort.remote.transfer import size_of

MIRRORS = "HEPATICA_MIRRORS"
"""Environment variable: the folder of the copies."""


def copies_of(url: str) -> Path:
    """Where the copies of a folder in a store lie. What is noted beside them is hidden; no copy is."""
    user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get(MIRRORS) or Path(user, "hepatica", "mirrors")) / digest_of(url.encode())[:32]


def called(url: str) -> str:
    """The name of its copies: that of the folder, as far as a disk takes it, and never hidden."""
    return re.sub(r"[^\w.-]", "_", url.rpartition("/")[2]).lstrip(".") or "folder"


@dataclass(frozen=True)
class LocalCopy:
    """A copy, and beside it what the store has had of it."""

    folder: Path

    @property
    def beside(self) -> Path:
        """Where it lies."""
        return self.folder.parent

    def accepted(self) -> list[str]:
        """Digests of the manifests of which it has the state, or has gone on from there."""
        return list(self._noted()["digests"])

    def accept(self, digests: Iterable[str], files: Mapping[str, Entry], *, besides: bool = False) -> None:
        """Note the digests, and files that the store has; `besides` those that are noted."""
        had = self._noted()["files"] if besides else {}
        files_now = {name: sorted({*had.get(name, ()), entry.sha256}) for name, entry in files.items()}
        write_json(self._notes, {"digests": sorted(digests), "files": {**had, **files_now}})

    def unsent(self, files: Mapping[str, Entry]) -> bool:
        """Whether it has a file that the store has never had, besides these which it has now."""
        had = self._noted()["files"]
        return any(
            digest not in had.get(name, ()) and (name not in files or digest != files[name].sha256)
            for name in look(self.folder)
            if (digest := digest_once(self.folder / name, "sha256").hex())
        )

    def set_aside(self) -> None:
        """Give it another name, and say so."""
        to = self.folder.with_name(f"{self.folder.name}.unsent-{datetime.now():%Y%m%dT%H%M%S.%f}")
        self.folder.rename(to)
        print(f"this machine had work that the store does not have; it lies in {to}", file=sys.stderr, flush=True)

    def clear(self, wanted: Iterable[str]) -> None:
        """Remove all other files, and folders that are then empty."""
        names = set(wanted)
        for place, folders, files in os.walk(self.folder, topdown=False):
            here = Path(place)
            for path in (here / each for each in (*files, *folders)):
                own = path.relative_to(self.folder).as_posix() in names
                if path.is_symlink() or not (own or path.is_dir()):
                    path.unlink(missing_ok=True)  # a folder that was empty
            with suppress(OSError):  # it has files
                here.rmdir()

    def bring(self, far: FarFolder, wanted: Mapping[str, Entry], *, lacks: Callable[[Path, Entry], bool]) -> None:
        """Bring those of the wanted files that it `lacks`."""

        def bring(name: str) -> None:
            if lacks(self.folder / name, wanted[name]):
                far.bring(name, wanted[name], to=self.folder / name, coming=coming)

        coming = self.beside / ".coming"
        each_of(bring, wanted)
        shutil.rmtree(coming, ignore_errors=True)

    @property
    def _notes(self) -> Path:
        return self.beside / ".accepted.json"

    def _noted(self) -> Any:
        return read_json(self._notes) if self._notes.exists() else {"digests": [], "files": {}}


def absent(path: Path, _: Entry) -> bool:
    """Whether a file is not there, nor anything in its way."""
    there = next(each for each in (path, *path.parents) if os.path.lexists(each))
    return there != path and there.is_dir()


def differs(path: Path, entry: Entry) -> bool:
    """Whether a file is not there, or not as it was sent."""
    return not path.is_file() or size_of(path) != entry.size or digest_once(path, "sha256").hex() != entry.sha256
