"""Uploads: announce a file, send it in pieces, resume after an interruption."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from hepatica.serve.api.answers import REFUSALS, Bench, Id, Plain, Reader
from hepatica.serve.file_kinds import kind_by_name
from hepatica.serve.refusals import TooLargeError
from hepatica.serve.uploads import Upload
from hepatica.serve.web.limits import CHUNK

router = APIRouter(prefix="/api/v1/uploads", tags=["uploads"], responses=REFUSALS)


class Announced(BaseModel):
    """A file that is to come. Of `name` only words such as arterial and the ending are kept."""

    name: Plain = Field(min_length=1, max_length=1000)
    size: int = Field(ge=1, le=2**53)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Arriving(BaseModel):
    """How far an upload is: `received` of `size` bytes. The next piece has at most `piece` bytes. `kind` is what its
    name says that it is: slide, volume, dicom, spectrum, picture, archive, table or unknown.
    """

    upload_id: str
    kind: str
    size: int
    received: int
    case_id: str
    piece: int = CHUNK


def shown(upload: Upload) -> Arriving:
    """What is said of it."""
    return Arriving(
        upload_id=upload.upload_id,
        kind=kind_by_name(upload.name),
        size=upload.size,
        received=upload.received,
        case_id=upload.case_id,
    )


def own(upload_id: Id, bench: Bench, user: Reader) -> Upload:
    """The upload of whoever asks."""
    return bench.uploads.get(user.name, upload_id)


Own = Annotated[Upload, Depends(own)]


@router.post("", status_code=201)
def begin(asked: Announced, bench: Bench, user: Reader) -> Arriving:
    """Announce a file; the same one again is the same upload, and `received` says from where to go on."""
    return shown(bench.uploads.begin(user.name, name=asked.name, size=asked.size, sha256=asked.sha256))


@router.get("/{upload_id}")
def state(upload: Own) -> Arriving:
    """How much of it is there."""
    return shown(upload)


_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}


@router.patch("/{upload_id}", openapi_extra=_BODY)
async def append(
    upload: Own,
    bench: Bench,
    user: Reader,
    request: Request,
    upload_offset: Annotated[int, Header(ge=0, le=2**53, description="Where the piece begins.")],
) -> Arriving:
    """Send the next piece, which begins at Upload-Offset; what has arrived stays when the connection breaks."""
    with bench.uploads.appending(upload, offset=upload_offset) as file:
        async for block in request.stream():
            if upload_offset + len(block) > upload.size:
                raise TooLargeError(f"got more bytes than the {upload.size} that were announced")
            await run_in_threadpool(file.write, block)
            upload_offset += len(block)
    return await run_in_threadpool(lambda: shown(bench.uploads.get(user.name, upload.upload_id)))


@router.delete("/{upload_id}", status_code=204)
def drop(upload: Own, bench: Bench) -> Response:
    """Remove it."""
    bench.uploads.drop(upload)
    return Response(status_code=204)
