"""Uploads: files that arrive in pieces, are resumed after an interruption, and count only once they are whole."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from sqlalchemy import delete, select

from hepatica.serve.database import Database, UploadRow
from hepatica.serve.file_names import safe_name
from hepatica.serve.refusals import ConflictError, FullError, NotFoundError, TooLargeError
from hepatica.serve.settings import Settings

MOST = 4000
"""Unfinished files that one user may have: a study of as many slices."""

RESERVE = 2**28
"""Bytes of the disk that are left free, for results and the database."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that is arriving, of which `received` bytes of `size` are there. `case_id` is the case it went into."""

    upload_id: str
    user: str
    name: str
    size: int
    sha256: str
    received: int
    case_id: str


class Uploads:
    """The files in `data`/uploads, each with a row that says what it is to be."""

    def __init__(self, settings: Settings, *, database: Database) -> None:
        self.settings, self.database = settings, database
        self.folder = settings.data / "uploads"

    def begin(self, user: str, *, name: str, size: int, sha256: str) -> Upload:
        """A new upload, or the one of this user, content and kind of name that was begun before.

        TooLargeError beyond `largest_upload_bytes` or MOST files, FullError where the disk has no room.
        """
        largest, kept = self.settings.largest_upload_bytes, safe_name(name)
        if size > largest:
            raise TooLargeError(f"got a file of {size} bytes, wanted {largest} at most")
        with self.database.session() as session:
            own = select(UploadRow).where(UploadRow.user == user, UploadRow.case_id == "")
            same = own.where(UploadRow.sha256 == sha256, UploadRow.size == size, UploadRow.name == kept)
            if found := session.scalars(same).first():
                return self._upload(found)
            waiting = session.scalars(own).all()
            if len(waiting) >= MOST or sum(each.size for each in waiting) + size > 4 * largest:
                raise TooLargeError("too many unfinished uploads; submit or remove them first")
            self.refuse_full(size)
            row = UploadRow(
                upload_id=uuid4().hex, user=user, name=kept, size=size, sha256=sha256, created=time.time(), case_id=""
            )
            session.add(row)
        return self._upload(row)

    def refuse_full(self, size: int) -> None:
        """FullError where the disk has no room for a file of so many bytes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < size + RESERVE:
            raise FullError("the disk has no room for a file of this size; tell whoever runs this workbench")

    def get(self, user: str, upload_id: str) -> Upload:
        """An upload of this user; NotFoundError where there is none, or no longer."""
        with self.database.session() as session:
            row = session.get(UploadRow, upload_id)
        if row is None or row.user != user:
            raise NotFoundError("there is no upload of that id, or it was removed; begin again")
        return self._upload(row)

    @contextmanager
    def appending(self, upload: Upload, *, offset: int) -> Iterator[BinaryIO]:
        """The file, to write what follows `offset`; ConflictError where more or less is there, or another writes;
        FullError where uploads that were begun together have used up the room.
        """
        if upload.case_id:
            raise ConflictError("this upload was submitted already")
        self.refuse_full(0)
        with self._part(upload.upload_id).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError("another request is sending this file; ask how much is there") from None
            if (there := os.fstat(file.fileno()).st_size) != offset:
                raise ConflictError(f"got the offset {offset}, wanted {there}")
            yield file

    def staged(self, uploads: Sequence[Upload]) -> Path:
        """A folder of the whole files, beside which they stay until the case is there.

        ConflictError for a file that is not whole, or not what was announced, which is then removed.
        """
        folder = self.folder / f"staged_{uuid4().hex}"
        folder.mkdir(parents=True)
        try:
            for number, each in enumerate(uploads):
                self._refuse_unlike(each)
                place = folder / each.name
                place = place if not place.exists() else folder / f"{number:04}_{each.name}"
                os.link(self._part(each.upload_id), place)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    def submitted(self, uploads: Sequence[Upload], *, case_id: str) -> None:
        """Note which case they went into, so that the same request again is answered by it; the files go."""
        with self.database.session() as session:
            for each in uploads:
                if row := session.get(UploadRow, each.upload_id):
                    row.case_id = case_id
        for each in uploads:
            self._part(each.upload_id).unlink(missing_ok=True)

    def drop(self, upload: Upload) -> None:
        """Forget an upload and remove what is there of it."""
        with self.database.session() as session:
            session.execute(delete(UploadRow).where(UploadRow.upload_id == upload.upload_id))
        self._part(upload.upload_id).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what was begun longer than `longest_upload_s` ago."""
        before = time.time() - self.settings.longest_upload_s
        with self.database.session() as session:
            session.execute(delete(UploadRow).where(UploadRow.created < before))
        for path in self.folder.glob("*"):
            with suppress(FileNotFoundError):  # a request was faster
                if path.stat().st_mtime < before:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _refuse_unlike(self, upload: Upload) -> None:
        path = self._part(upload.upload_id)
        if upload.received != upload.size:
            raise ConflictError(f"{upload.received} of {upload.size} bytes are there; send the rest first")
        with path.open("rb") as file:
            os.fsync(file.fileno())
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != upload.sha256:
            self.drop(upload)
            raise ConflictError(
                "the file has another SHA-256 than was announced: it was damaged on its way; send it anew"
            )

    def _part(self, upload_id: str) -> Path:
        return self.folder / f"{upload_id}.part"

    def _upload(self, row: UploadRow) -> Upload:
        path = self._part(row.upload_id)
        return Upload(
            upload_id=row.upload_id, user=row.user, name=row.name, size=row.size, sha256=row.sha256,
            received=path.stat().st_size if path.exists() else 0, case_id=row.case_id,
        )  # fmt: skip
