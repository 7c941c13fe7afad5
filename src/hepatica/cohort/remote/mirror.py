"""Mirror: a folder in a store, worked on in a copy on this machine, whose state is sent there every so often."""

import fcntl
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from hepatica.cohort.errors import HepaticaError, RunError, UnavailableError
from hepatica.cohort.remote.far_folder import FarFolder
from hepatica.cohort.remote.local_copy import LocalCopy, absent, called, copies_of, differs
from hepatica.cohort.remote.manifest import MANIFEST, Entry, Manifest, digest_of, is_safe
from hepatica.cohort.remote.read_copy import read_copy
from hepatica.cohort.remote.snapshot import Mark, entry_of, frozen
from hepatica.cohort.remote.transfer import refused

WRITTEN = ("abfs", "az", "gcs", "gs", "s3", "s3a")
"""Stores that take an object whole or not at all, on which the manifest relies."""

EVERY = 60.0
"""Seconds between two looks at what is to be sent. Ours."""

_SHOWN = 200  # characters of a name
_URL = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*?[^/])/*", re.IGNORECASE)


def url_of(place: str | Path) -> str:
    """The URL that a place is; "" where it is a path of this machine. A Path has lost one of its slashes."""
    found = _URL.fullmatch(str(place))
    return f"{found[1]}://{found[2]}" if found else ""


@contextmanager
def mirrored(place: str | Path, *, writing: bool, new: bool = True) -> Iterator[Path]:
    """Yield a local folder as it is; of a URL a copy on this machine, brought to the state of the store first.

    When `writing`, the state of the copy is sent while the block runs, every minute, and when it ends, however it does.
    Where this machine has gone on since it last wrote to the store, and no other has, its copy is kept, and what it
    lacks is brought. Where another has, a copy with work that was not sent is set aside. An empty place is begun where
    it may be `new`. When only reading, what was
    prepared and the work of a training are not brought. Hidden files, tables of jobs and copies of inputs are not sent.

    UnavailableError where the store cannot be reached or its kind not be used; RunError where a file in the store is
    not as it was sent, another process writes there, or what lies there was not written so. No message has the URL.
    """
    url = url_of(place)
    if not url:
        yield Path(place)
        return
    _refuse(url, writing=writing)
    if not writing:
        with read_copy(FarFolder(url)) as folder:
            yield folder
        return
    own = LocalCopy(copies_of(url) / "written" / called(url))
    mirror = _Mirror(far=FarFolder(url), own=own, new=new)
    with _alone(own.beside):
        mirror.pull()
        with _sending(mirror):
            yield own.folder
        print(f"{own.folder} is a copy, and what it had to be sent was: name later commands the URL", file=sys.stderr)


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
    push has not come to its end; `known` are the files that were sent, as they were here; an empty place may be `new`.
    """

    far: FarFolder
    own: LocalCopy
    new: bool = True
    manifest: Manifest = field(default_factory=lambda: Manifest({}))
    settled: bool = True
    known: Mapping[str, tuple[Mark, Entry]] = field(default_factory=dict)

    def pull(self) -> None:
        """Bring the copy to the state of the store; where it has gone on from there, only what it lacks is brought."""
        while text := self.far.read():
            self.manifest = Manifest.parsed(text)
            self.far.settle(self.manifest, every=False)
            try:
                if digest_of(text) in self.own.accepted():
                    self.own.bring(self.far, self.manifest.files, lacks=absent)
                else:
                    self._take()
            except RunError:
                if self.far.read() == text:  # else it was written meanwhile
                    raise
            else:
                self.own.accept([digest_of(text)], self.manifest.files)
                return
        self._begin()

    def _take(self) -> None:
        """Make the copy what the manifest says, and nothing else."""
        if self.own.unsent(self.manifest.files):
            self.own.set_aside()
        self.own.accept([], self.manifest.files, besides=True)
        self.own.clear(self.manifest.files)
        self.own.bring(self.far, self.manifest.files, lacks=differs)

    def _begin(self) -> None:
        """Claim an empty place, which also finds out whether it may be written."""
        if self.far.listed():
            raise RunError(f"the place in the store is not empty and has no {MANIFEST}; choose an empty one")
        if not self.new:
            raise RunError("the store has no folder there that hepatica wrote; correct the URL")
        self.own.accept(self.own.accepted(), {})  # what the store had, it has no longer
        self.manifest = Manifest({})
        self.far.name(self.manifest)
        self._take()
        self.own.accept([digest_of(self.manifest.text)], {})

    def push_until(self, ended: Event) -> None:
        """Push every so often, and once more when it has `ended`; an error counts then only, for it may pass.

        RunError where there are files that cannot be called so in a store; all others were sent.
        """
        while not ended.wait(EVERY):
            try:
                self.push()
            except (HepaticaError, OSError) as error:
                print(f"not sent: {error}; the command goes on", file=sys.stderr, flush=True)
        if refused := self.push():
            further = f" and {len(refused) - 1} more" if refused[1:] else ""
            raise RunError(
                f"not sent, for no file can be called {refused[0][:_SHOWN]!r} in a store{further}; all else was sent;"
                f" what this one made is in {self.own.folder}"
            )

    def push(self) -> list[str]:
        """Send what has changed since the last push, as it is at one instant; the names that no store takes."""
        beside = self.own.beside / ".held"
        try:
            marks, held = frozen(
                self.own.folder, known={name: own[0] for name, own in self.known.items()}, beside=beside
            )
            known = {name: self.known[name] for name in marks.keys() - held.keys()}
            known |= {name: (marks[name], entry_of(path, marks[name][1])) for name, path in held.items()}
            now = {name: known[name][1] for name in sorted(marks) if is_safe(name)}
            if now != self.manifest.files or not self.settled:
                self._send(held, now)
            self.known = known
            return sorted(marks.keys() - now.keys())
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _send(self, held: Mapping[str, Path], now: Mapping[str, Entry]) -> None:
        before = self._own()
        left = () if self.settled else before.gone  # by a push that failed
        self.settled = False
        if now != before.files:
            changed = {name: held[name] for name in held.keys() & now.keys() if before.files.get(name) != now[name]}
            self.far.send(changed, now)
            self._commit(Manifest(now, tuple(sorted({*before.files, *left} - now.keys()))))
        self.far.settle(self.manifest, every=True)
        self.settled = True

    def _commit(self, manifest: Manifest) -> None:
        new = digest_of(manifest.text)
        # A kill may come before the store has it, or after.
        self.own.accept({*self.own.accepted(), new}, {}, besides=True)
        self.far.name(manifest)
        self.own.accept([new], manifest.files)
        self.manifest = manifest

    def _own(self) -> Manifest:
        """The manifest in the store; RunError where it is not of this process."""
        if digest_of(text := self.far.read()) not in self.own.accepted():
            raise RunError(
                "another process has written to the same place of the store since this one read it; end one of them, or"
                f" choose another place; what this one made is in {self.own.folder}"
            )
        self.manifest = Manifest.parsed(text)
        return self.manifest
