"""Download: one file of the archive, resumed where it broke off, checked, and moved into place whole."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from hepatica.cohort.digests import digest_once, remember
from hepatica.cohort.errors import SpecimenError
from hepatica.fetch.gdc import Gdc


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file as the archive lists it; `size` in bytes, `md5` in lower-case hexadecimal digits."""

    file_id: str
    md5: str
    size: int


def part_of(file: RemoteFile, to: Path) -> Path:
    """Where the bytes gather until all are there."""
    return to.with_name(f".{file.file_id}.part")


def download(gdc: Gdc, file: RemoteFile, to: Path, *, seen: Callable[[int], None] = lambda size: None) -> None:
    """Bring `file` to the path `to`; `seen` is called with the number of bytes received so far.

    Bytes gather in a hidden .part file beside it, which outlives a stop at any moment; the next call asks for the rest
    only (HTTP Range) and starts over where the archive does not offer that. Not `hepatica.cohort.atomic.replacing`,
    because that removes what has come when it is stopped; the move at the end is as atomic.

    UnavailableError when the archive cannot be reached. SpecimenError when the md5 is not the one the archive lists;
    the bytes are removed then.
    """
    part = part_of(file, to)
    to.parent.mkdir(parents=True, exist_ok=True)
    gdc.patiently(lambda: _gather(gdc, file, part, seen), progress=lambda: _size(part))
    with part.open("r+b") as written:
        md5 = hashlib.file_digest(written, lambda: hashlib.md5(usedforsecurity=False))
        os.fsync(written.fileno())
    if md5.hexdigest() != file.md5:
        part.unlink()
        raise SpecimenError(
            f"file {file.file_id}: got md5 {md5.hexdigest()}, wanted {file.md5}; the damaged download was removed, "
            "run the same command again"
        )
    part.replace(to)
    remember(to, "md5", md5.digest())


def is_whole(file: RemoteFile, path: Path) -> bool:
    """Whether the file is there as the archive has it; read again only where it was changed since it was checked."""
    return path.is_file() and path.stat().st_size == file.size and digest_once(path, "md5").hex() == file.md5


def _gather(gdc: Gdc, file: RemoteFile, part: Path, seen: Callable[[int], None]) -> None:
    have = _size(part)
    if have >= file.size:
        return
    # Bytes as they are stored: a compressed answer could not be resumed.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with gdc.client.stream("GET", f"/data/{file.file_id}", headers=headers) as response:
        _keep_or_start_over(response, part, have)
        _write(response, part, file.size, seen)
    if _size(part) < file.size:
        raise httpx.RemoteProtocolError(f"the connection closed after {_size(part)} of {file.size} bytes")


def _keep_or_start_over(response: httpx.Response, part: Path, have: int) -> None:
    """Keep the bytes we have only when the answer is the rest of them."""
    if response.status_code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        response.raise_for_status()
    partial_content = response.status_code == httpx.codes.PARTIAL_CONTENT
    if have and partial_content and response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        return
    part.unlink(missing_ok=True)
    if response.status_code != httpx.codes.OK:
        raise httpx.RemoteProtocolError("the archive sent another part of the file than requested")


def _write(response: httpx.Response, part: Path, size: int, seen: Callable[[int], None]) -> None:
    with part.open("ab") as file:
        for block in response.iter_raw():
            file.write(block)
            seen(file.tell())
            if file.tell() > size:
                return  # more than was listed: the md5 will refuse it, and the disk must not fill


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
