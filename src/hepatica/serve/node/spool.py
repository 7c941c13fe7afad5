"""Spool: what was received, one folder a study, each object once and whole, under names that are digests."""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from hepatica.cohort.atomic import replacing, sweep
from hepatica.serve.node.received import Received, name_of, of_file

OPEN = "open"
"""Name of the file in the folder of a study that has objects which no model has been given yet."""

IMAGE_FOLDER, OTHER_FOLDER = "images", "others"


class Spool:
    """A folder of studies, NAME/images/NAME.dcm. What is open is said by files alone, so that several threads and
    processes may write, and any of them may die at any moment.

    `clock` are seconds that never jump, by which a study is found quiet; after a restart the wait begins anew.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self._clock = folder, clock
        self._seen: dict[str, tuple[str, float]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)

    def store(self, each: Received) -> bool:
        """Write an object and open its study; False, and nothing changes, where that very object is there already.

        On return it is on the disk under its final name. OSError where it cannot be written. An object of the same UID
        and other content takes the place of the former: archives correct patients so.
        """
        study = name_of(each.study)
        kind = IMAGE_FOLDER if each.is_image else OTHER_FOLDER
        path = self.folder / study / kind / f"{name_of(each.instance)}.dcm"
        if path.exists() and _same(path, each):
            return False
        if each.is_image:
            self.open(study)  # before it is there: if we die in between, the study is looked at
        with replacing(path) as temporary:
            temporary.write_bytes(each.file())
        if each.is_image:
            self.open(study)  # and after: it may have taken longer than the study was quiet for
        return True

    def open(self, study: str) -> None:
        """The study is to be looked at, once it is quiet."""
        with self._locked():
            self.folder.joinpath(study).mkdir(exist_ok=True)
            self.folder.joinpath(study, OPEN).write_text(uuid4().hex, encoding="ascii")

    def is_open(self, study: str) -> bool:
        """Whether the study is to be looked at."""
        return self.folder.joinpath(study, OPEN).exists()

    def quiet(self, *, for_s: float) -> dict[str, str]:
        """Open studies to which nothing was added for so long, and the word by which to `close` each."""
        now = self._clock()
        words = {path.parent.name: path.read_text(encoding="ascii") for path in self.folder.glob(f"*/{OPEN}")}
        known = {study: self._seen.get(study, ("", now)) for study in words}
        self._seen = {study: known[study] if known[study][0] == word else (word, now) for study, word in words.items()}
        return {study: word for study, (word, since) in self._seen.items() if now - since >= for_s}

    def wait(self, study: str) -> None:
        """Let the quiet time of a study begin anew."""
        self._seen.pop(study, None)

    def close(self, study: str, *, word: str) -> None:
        """Nothing is left to do for a study, unless it was opened again since `quiet` gave the word."""
        with self._locked():
            marker = self.folder / study / OPEN
            if marker.exists() and marker.read_text(encoding="ascii") == word:
                marker.unlink()

    def images(self, study: str) -> list[Path]:
        """The files of a study that models may read."""
        return sorted(self.folder.joinpath(study, IMAGE_FOLDER).glob("[0-9a-f]*.dcm"))

    def studies(self) -> list[str]:
        """Names of all studies."""
        return sorted(path.name for path in self.folder.iterdir() if path.is_dir())

    def remove(self, study: str) -> None:
        """Delete the files of a study that is not open."""
        with self._locked():
            if not self.is_open(study):
                shutil.rmtree(self.folder / study, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self.folder.joinpath(".lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _same(path: Path, each: Received) -> bool:
    there = of_file(path.read_bytes())
    return (there.syntax, there.dataset) == (each.syntax, each.dataset)
