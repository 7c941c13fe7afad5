"""Manifest: what a folder in a store has, as text that may come from anyone."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple, Self

from hepatica.cohort.errors import RunError

MANIFEST = ".hepatica.json"
"""Its name in the store, beside the files."""

LONGEST = 2**28
"""Bytes of a manifest, of some million files. Ours."""

LONGEST_NAME = 1000
"""Characters of a name of a file: S3 takes 1,024 bytes for it and its folder. Ours."""

_FORMAT = 1
_DIGEST = re.compile("[0-9a-f]{64}")


class Entry(NamedTuple):
    """What a file has: its SHA-256 in hexadecimal digits, and bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The `files` of a folder by their names below it, and what is `gone` from there since the manifest before."""

    files: Mapping[str, Entry]
    gone: tuple[str, ...] = ()

    @property
    def text(self) -> bytes:
        """As it lies in the store."""
        return json.dumps({"format": _FORMAT, "files": self.files, "gone": self.gone}, indent=0).encode()

    @classmethod
    def parsed(cls, text: bytes) -> Self:
        """What a text says; RunError where it is no manifest, or names what lies outside of the folder."""
        try:
            found = json.loads(text) if len(text) <= LONGEST else {}
            if type(found["gone"]) is not list or any(
                len(each) > LONGEST_NAME for each in (*found["files"], *found["gone"])
            ):
                raise ValueError("no list, or no names")
            files = {safe(name): _entry(*own) for name, own in found["files"].items()}
            gone = tuple(safe(name) for name in found["gone"])
            right = found["format"] == _FORMAT and files.keys().isdisjoint({*gone, *_folders(files)})
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            right = False
        if not right:
            raise RunError(
                f"{MANIFEST} in the store is damaged or of another version; restore it, or choose a new place"
            )
        return cls(files, gone)


def digest_of(text: bytes) -> str:
    """By which one manifest is known from another."""
    return hashlib.sha256(text).hexdigest()


def safe(name: str) -> str:
    """A name that is one of a file below a folder, on every system and in every store; RunError where it is not."""
    if not is_safe(name):
        raise RunError(f"a file cannot be called {name!r} in a store; rename it, or its folder")
    return name


def is_safe(name: str) -> bool:
    """Whether `safe` takes a name."""
    right = len(name) <= LONGEST_NAME and name.isprintable() and not set(name) & set('\\:*?"<>|#')
    return right and all(part[:1] not in ("", ".") for part in name.split("/"))


def _entry(sha256: str, size: int) -> Entry:
    if not _DIGEST.fullmatch(sha256) or type(size) is not int or size < 0:
        raise ValueError("no digest, or no size")
    return Entry(sha256, size)


def _folders(names: Iterable[str]) -> set[str]:
    return {str(each) for name in names for each in PurePosixPath(name).parents}
