"""Mirror: a folder in a store, worked on in a copy on this machine, whose state is sent there every so often."""

import fcntl
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from threading import Event

from hepatica.cohort.atomic import holding, read_json, write_json
from hepatica.cohort.digests import file_digest
from hepatica.cohort.errors import HepaticaError, RunError, UnavailableError
from hepatica.cohort.remote.far_folder import FarFolder, each_of
from hepatica.cohort.remote.manifest import MANIFEST, Entry, Manifest, digest_of, safe
from hepatica.cohort.remote.snapshot import Mark, entry_of, frozen
from hepatica.cohort.remote.transfer import refused, size_of

WRITTEN = ("abfs", "az", "gcs", "gs", "s3", "s3a")
"""Stores that take an object whole or not at all, on which the manifest relies."""

MIRRORS = "HEPATICA_MIRRORS"
"""Environment variable: the folder of the copies."""

EVERY = 60.0
"""Seconds between two looks at what is to be sent. Ours."""

_URL = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*?[^/])/*", re.IGNORECASE)


def url_of(place: str | Path) -> str:
    """The URL that a place is; "" where it is a path of this machine. A Path has lost one of its slashes."""
    found = _URL.fullmatch(str(place))
    return f"{found[1]}://{found[2]}" if found else ""


@contextmanager
def mirrored(place: str | Path, *, writing: bool) -> Iterator[Path]:
    """Yield a local folder as it is; of a URL a copy on this machine, brought to the state of the store first.

    When `writing`, the state of the copy is sent while the block runs, every minute, and when it ends, however it does.
    Where this machine has gone on since it last wrote to the store, and no other has, its copy is kept as it is. When
    only reading, what was prepared and the work of a training are not brought. Hidden files, tables of jobs and copies
    of inputs are not sent.

    UnavailableError where the store cannot be reached or its kind not be used; RunError where a file in the store is
    not as it was sent, another process writes there, or what lies there was not written so. No message has the URL.
    """
    url = url_of(place)
    if not url:
        yield Path(place)
        return
    _refuse(url, writing=writing)
    mirror = _Mirror(far=FarFolder(url), writing=writing)
    if not writing:
        with holding(mirror.base / ".lock"):
            mirror.pull()
        yield mirror.folder
        return
    with _alone(mirror.base):
        mirror.pull()
        with _sending(mirror):
            yield mirror.folder
        print(f"{mirror.folder} is a copy; the store has all of it: name later commands its URL", file=sys.stderr)


def _refuse(url: str, *, writing: bool) -> None:
    kind = url.partition("://")[0]
    reason = "got several URLs joined by ::, wanted one" if "::" in url else refused(url)
    if writing and kind not in WRITTEN:
        reason = f"got a URL of the kind {kind!r} for results, wanted one of {', '.join(WRITTEN)}, or a folder"
    if reason:
        raise UnavailableError(reason)


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    base.mkdir(parents=True, exist_ok=True)
    with (base / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                "another process of this machine writes to the same place of the store; wait for its end, or choose"
                " another place"
            ) from None
        except OSError:
            pass  # a file system without locks
        yield


@contextmanager
def _sending(mirror: "_Mirror") -> Iterator[None]:
    """Push from another thread until the block ends, and once more; the block's own error goes before that of this."""
    ended = Event()
    with ThreadPoolExecutor(1) as pool:
        last = pool.submit(mirror.push_until, ended)
        try:
            yield
        except BaseException:
            ended.set()
            if error := last.exception():
                print(f"not sent: {error}", file=sys.stderr, flush=True)
            raise
        ended.set()
        last.result()


@dataclass(kw_only=True, eq=False)
class _Mirror:
    """A folder in a store and its copy; `manifest` is what was last read or written there, and not `settled` where a
    push has not come to its end; `known` are the files that were sent, as they were here.
    """

    far: FarFolder
    writing: bool
    manifest: Manifest = field(default_factory=lambda: Manifest({}))
    settled: bool = True
    known: Mapping[str, tuple[Mark, Entry]] = field(default_factory=dict)

    @property
    def base(self) -> Path:
        """Where the copy lies, and what is noted of it. Readers have one of their own, which no call changes."""
        user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        place = Path(os.environ.get(MIRRORS) or Path(user, "hepatica", "mirrors"))
        return place / digest_of(self.far.url.encode())[:32] / ("written" if self.writing else "read")

    @property
    def folder(self) -> Path:
        """The copy, called as the folder in the store."""
        return self.base / (re.sub(r"[^\w.-]", "_", self.far.url.rpartition("/")[2]).lstrip(".") or "folder")

    @property
    def accepted(self) -> Path:
        """Digests of the manifests of which the copy has the state, or has gone on from there."""
        return self.base / "accepted.json"

    def pull(self) -> None:
        """Bring the copy to the state of the store, unless it has gone on from there."""
        while text := self.far.read():
            self.manifest = Manifest.parsed(text)
            if self.writing:
                self.far.settle(self.manifest, every=False)
            if digest_of(text) in self._accepted():
                return
            self.accepted.unlink(missing_ok=True)
            try:
                self._take()
            except RunError:
                if self.far.read() == text:  # else it was written meanwhile
                    raise
            else:
                write_json(self.accepted, [digest_of(text)])
                return
        self._begin()

    def _take(self) -> None:
        """Make the copy what the manifest says, and nothing else."""
        wanted = {name: entry for name, entry in self.manifest.files.items() if self.writing or not _unread(name)}
        for path in self.folder.rglob("*"):
            if not path.is_dir() and path.relative_to(self.folder).as_posix() not in wanted:
                path.unlink()

        def take(name: str) -> None:
            to, entry = self.folder / name, wanted[name]
            if size_of(to) != entry.size or not to.is_file() or file_digest(to) != entry.sha256:
                self.far.bring(name, entry, to=to, coming=self.base / "coming")

        each_of(take, wanted)
        shutil.rmtree(self.base / "coming", ignore_errors=True)

    def _begin(self) -> None:
        """Claim an empty place, which also finds out whether it may be written."""
        if not self.writing:
            raise RunError("the store has no folder there that hepatica wrote; correct the URL")
        if self.far.listed():
            raise RunError(f"the place in the store is not empty and has no {MANIFEST}; choose an empty one")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.accepted.unlink(missing_ok=True)
        self._commit(Manifest({}))

    def push_until(self, ended: Event) -> None:
        """Push every so often, and once more when it has `ended`; an error counts then only, for it may pass."""
        while not ended.wait(EVERY):
            try:
                self.push()
            except (HepaticaError, OSError) as error:
                print(f"not sent: {error}; the command goes on", file=sys.stderr, flush=True)
        self.push()

    def push(self) -> None:
        """Send what has changed since the last push, as it is at one instant."""
        beside = self.base / "held"
        try:
            marks, held = frozen(self.folder, known={name: own[0] for name, own in self.known.items()}, beside=beside)
            known = {name: self.known[name] for name in marks.keys() - held.keys()}
            known |= {name: (marks[name], entry_of(path, marks[name][1])) for name, path in held.items()}
            now = {safe(name): known[name][1] for name in sorted(marks)}
            if now != self.manifest.files or not self.settled:
                self._send(held, now)
            self.known = known
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _send(self, held: Mapping[str, Path], now: Mapping[str, Entry]) -> None:
        before = self._own()
        left = () if self.settled else before.gone  # by a push that failed
        self.settled = False
        if now != before.files:
            changed = {name: path for name, path in held.items() if before.files.get(name) != now[name]}
            self.far.send(changed, now, before=before)
            self._commit(Manifest(now, tuple(sorted({*before.files, *left} - now.keys()))))
        self.far.settle(self.manifest, every=True)
        self.settled = True

    def _commit(self, manifest: Manifest) -> None:
        new = digest_of(manifest.text)
        write_json(self.accepted, sorted({*self._accepted(), new}))  # a kill may come before the store has it, or after
        self.far.name(manifest)
        write_json(self.accepted, [new])
        self.manifest = manifest

    def _own(self) -> Manifest:
        """The manifest in the store; RunError where it is not of this process."""
        if digest_of(text := self.far.read()) not in self._accepted():
            raise RunError(
                "another process has written to the same place of the store since this one read it; end one of them, or"
                f" choose another place; what this one made is in {self.folder}"
            )
        self.manifest = Manifest.parsed(text)
        return self.manifest

    def _accepted(self) -> set[str]:
        return set(read_json(self.accepted)) if self.accepted.exists() else set()


def _unread(name: str) -> bool:
    return not {"prepared", "work"}.isdisjoint(PurePosixPath(name).parts[:-1])
