"""Seal: the digest of each file of results, recorded beside it as it is written, so that an edited one is noticed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hepatica.cohort.atomic import holding, read_json, replacing, write_json
from hepatica.cohort.digests import file_digest
from hepatica.cohort.errors import RunError

SEAL = "digests.json"
"""SHA-256 of the sealed files of its folder, by name."""


@contextmanager
def sealing(path: Path) -> Iterator[Path]:
    """As `atomic.replacing`, and record the digest of what was written.

    It is recorded before the file takes its place: after a kill in between, the file is absent or an older one, and the
    command that writes it is repeated.
    """
    with replacing(path) as temporary:
        yield temporary
        _record(path, file_digest(temporary))


def write_sealed(path: Path, content: Any) -> None:
    """As `atomic.write_json`, sealed."""
    with sealing(path) as temporary:
        write_json(temporary, content)


def seal(*paths: Path) -> None:
    """Record files that are there already."""
    for path in paths:
        _record(path, file_digest(path))


def seal_states(folder: Path) -> dict[str, str]:
    """`unchanged`, `changed` or `missing` of each sealed file of a folder, by name; none where nothing was sealed."""
    return {name: file_state(folder / name, digest) for name, digest in _recorded(folder).items()}


def unaltered(path: Path) -> Path:
    """The path of a sealed file; RunError when it is missing, was never sealed, or was changed since."""
    digest = _recorded(path.parent).get(path.name)
    state = "unrecorded" if digest is None and path.is_file() else file_state(path, digest or "")
    if state != "unchanged":
        raise RunError(f"{path} {_STATES[state]}; restore it, or delete it and repeat the command that wrote it")
    return path


def every_unaltered(folder: Path) -> list[Path]:
    """All files that were sealed in a folder; RunError where one is missing or was changed since."""
    return [unaltered(folder / name) for name in sorted(_recorded(folder))]


def refuse_altered(folder: Path) -> None:
    """RunError naming the sealed files of a folder that were changed since they were written; absent ones may be."""
    changed = [str(folder / name) for name, state in seal_states(folder).items() if state == "changed"]
    if changed:
        raise RunError(
            f"{', '.join(changed)} {_STATES['changed']}; restore, or delete the folder's results and repeat the"
            " command that wrote them"
        )


def refuse_altered_below(folder: Path) -> None:
    """The same of all folders below it."""
    for path in sorted(folder.rglob(SEAL)):
        refuse_altered(path.parent)


def file_state(path: Path, digest: str) -> str:
    """`unchanged`, `changed` or `missing`, by the digest that was recorded."""
    if not path.is_file():
        return "missing"
    return "unchanged" if file_digest(path) == digest else "changed"


_STATES = {
    "changed": "was changed after it was written",
    "missing": "is missing",
    "unrecorded": f"has no digest in {SEAL}, so that nothing says whether it was changed",
}


def _record(path: Path, digest: str) -> None:
    with holding(path.parent / f".{SEAL}.lock"):  # else one record of two processes that seal at once would be lost
        write_json(path.parent / SEAL, dict(sorted((_recorded(path.parent) | {path.name: digest}).items())))


def _recorded(folder: Path) -> dict[str, str]:
    path = folder / SEAL
    found: dict[str, str] = read_json(path) if path.is_file() else {}
    return found
