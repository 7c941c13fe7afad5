"""DICOMweb: a study out of an archive (QIDO-RS, WADO-RS), and results into it (STOW-RS)."""

import ssl
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
from pydicom.uid import UID

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import SettingsError, SpecimenError, UnavailableError
from hepatica.radiology.dicom.archives import MAX_UNPACKED
from hepatica.radiology.dicom.export import MODALITIES
from hepatica.radiology.dicom.sources import MAX_MEMBER
from hepatica.serve.node.multipart import Parts, message
from hepatica.serve.node.received import is_uid, name_of, of_file
from hepatica.serve.node.sent import Sent, is_final, is_stored

JSON = "application/dicom+json"
DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""Ask for the files as they are: an archive that must transcode may fail (Orthanc 1.10 answers 500 to JPEG 2000)."""

MOST_SERIES, LONGEST_ANSWER = 1000, 2**24
"""Series of a study, and bytes of an answer in JSON. Ours."""

AT_ONCE = 2**26
"""Bytes of results in one message. Ours."""


class DicomWeb:
    """An archive at `url`, which ends before /studies; `authorization` is the value of the HTTP header of that name.

    UnavailableError where it is not there or answers with an error, whose text is not shown: it may hold identifiers.
    """

    def __init__(self, url: str, *, authorization: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise SettingsError("got the address of an archive that is not http:// or https://; correct it")
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/",
            headers={} if authorization is None else {"Authorization": authorization},
            verify=tls or ssl.create_default_context(),
            timeout=httpx.Timeout(30, read=120),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def fetch(self, study: str, *, into: Path) -> Path:
        """Files of the series of a study that models may read, each series in a folder of its own; those that an
        earlier call fetched whole are taken over.

        SettingsError where `study` is no UID; SpecimenError where the archive has none of it, or sends something else.
        """
        if not is_uid(study):
            raise SettingsError("got a study that is no UID (digits and dots, 64 at most)")
        series = [each for each in self._series(study) if each[1] in {*MODALITIES, ""}]
        if not series:
            raise SpecimenError("the archive has no images of this study that a model could read; check the UID")
        left = MAX_UNPACKED
        for uid, _, count in series:
            folder = into / name_of(uid)
            left -= self._series_into(folder, study=study, series=uid, count=count, left=left)
        return into

    def store(self, files: Sequence[Path]) -> Sent:
        """Send DICOM files, some megabytes at a time.

        UnavailableError where the archive refuses an object for now: send all again, for their UIDs are the same.
        """
        sent = Sent()
        for some in _few(files):
            boundary = uuid4().hex
            kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
            content = message([path.read_bytes() for path in some], boundary=boundary)
            with self._answer("POST", "studies", content=content, Content_Type=kind, Accept=JSON) as answer:
                _count(sent, self._json(answer), some)
        return sent

    def _series(self, study: str) -> list[tuple[str, str, int]]:
        """UID, modality and number of images of each series; 0 where the archive does not say."""
        with self._answer("GET", f"studies/{study}/series", Accept=JSON) as answer:
            found = self._json(answer) if answer.status_code == 200 else []
        rows = [(_value(row, "0020000E"), _value(row, "00080060"), _value(row, "00201209")) for row in found]
        if len(rows) > MOST_SERIES or not all(is_uid(uid) for uid, _, _ in rows):
            raise SpecimenError("the archive gives no proper list of the series; ask whoever keeps it")
        return [(uid, modality, int(count) if count.isdigit() else 0) for uid, modality, count in rows]

    def _series_into(self, folder: Path, *, study: str, series: str, count: int, left: int) -> int:
        """Bytes fetched."""
        there = len(list(folder.glob("[0-9a-f]*.dcm")))
        if count and there >= count:
            return 0
        size = 0
        with self._answer("GET", f"studies/{study}/series/{series}", Accept=DICOM) as answer:
            parts = Parts(answer.headers.get("Content-Type", ""), largest=MAX_MEMBER)
            for piece in (piece for chunk in answer.iter_bytes() for piece in parts.feed(chunk)):
                size += len(piece)
                if size > left:
                    raise SpecimenError(f"the study has more than {MAX_UNPACKED >> 30} GiB, the most that is fetched")
                _keep(piece, study=study, folder=folder)
            parts.end()
        there = len(list(folder.glob("[0-9a-f]*.dcm")))
        if there < count:
            raise UnavailableError(f"got {there} of the {count} images of a series; repeat the command for the rest")
        return size

    @contextmanager
    def _answer(self, method: str, path: str, *, content: bytes | None = None, **headers: str) -> Iterator[Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with self._client.stream(method, path, content=content, headers=named) as answer:
                if answer.status_code not in (200, 202, 204, 409) and not (
                    method == "GET" and answer.status_code == 404
                ):
                    raise UnavailableError(f"the archive answered {answer.status_code} to {method}; see its log")
                yield answer
        except httpx.HTTPError as error:
            raise UnavailableError(f"the archive cannot be reached, or broke off ({type(error).__name__})") from None

    def _json(self, answer: Any) -> Any:
        content = bytearray()
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > LONGEST_ANSWER:
                raise UnavailableError("the archive's answer has no end; see its log")
        try:
            return httpx.Response(200, content=bytes(content)).json() if content else []
        except (ValueError, RecursionError):
            raise UnavailableError("the archive's answer is not JSON; see its log") from None


def _keep(piece: bytes, *, study: str, folder: Path) -> None:
    each = of_file(piece)
    if each.study != study:
        raise SpecimenError("the archive sent an image of another study than was asked for; ask whoever keeps it")
    with replacing(folder / f"{name_of(each.instance)}.dcm") as temporary:
        temporary.write_bytes(piece)


def _value(row: Any, tag: str) -> str:
    """The first value of an attribute in DICOM's JSON (PS3.18 F.2); blank where there is none."""
    values = row.get(tag, {}).get("Value") if isinstance(row, dict) and isinstance(row.get(tag, {}), dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""


def _few(files: Sequence[Path]) -> Iterator[list[Path]]:
    some, size = list[Path](), 0
    for path in files:
        if some and size + path.stat().st_size > AT_ONCE:
            yield some
            some, size = [], 0
        some.append(path)
        size += path.stat().st_size
    if some:
        yield some


def _count(sent: Sent, answer: Any, files: Sequence[Path]) -> None:
    """Add what an answer to STOW-RS says (PS3.18 10.5.3): references to what is stored, and failures with reasons."""
    failed = _items(answer, "00081198")
    reasons = Counter[int]()
    for each in failed:
        reason = _value(each, "00081197")
        status = int(reason) if reason.isdigit() else 0xFFFF
        reasons[status] += 1
        if is_final(status):
            sent.refused[UID(_value(each, "00081150")).name] = f"status 0x{status:04X}"
        elif not is_stored(status):
            raise UnavailableError(f"the archive answered 0x{status:04X} to an object; it is sent again later")
    stored = len(_items(answer, "00081199")) + sum(count for status, count in reasons.items() if is_stored(status))
    if stored + len(failed) < len(files):
        raise UnavailableError(f"the archive reports {stored} of {len(files)} objects; they are sent again later")
    sent.stored += stored


def _items(answer: Any, tag: str) -> list[Any]:
    found = answer[0] if isinstance(answer, list) and answer else answer
    items = found.get(tag, {}).get("Value") if isinstance(found, dict) else None
    return items if isinstance(items, list) else []
