"""Archive: a zip archive unpacked into a folder, within bounds that its own headers do not set."""

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from hepatica.cohort.errors import SpecimenError

MAX_FILES = 20_000
"""Files that one archive may have; a study has some thousand slices."""

MAX_BYTES = 16 * 2**30
"""Bytes that all of them may have together."""

MAX_RATIO = 200
"""How many times its packed size a file of a mebibyte and more may have: text has 10, an empty picture 1,000."""

_BLOCK = 2**20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def has_cohort(archive: Path) -> bool:
    """Whether a zip archive has a cohort folder."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return any(PurePosixPath(each).name == "cohort.toml" for each in opened.namelist())
    except _DAMAGED as error:
        raise SpecimenError(f"the archive is damaged ({type(error).__name__}); send it again") from None


def unpack(archive: Path, into: Path) -> None:
    """Unpack all files, each to the place that its name says below `into`; links and hidden files are left out.

    SpecimenError for a damaged or locked archive, a name that leads out of it, or more than it may hold; nothing of it
    then remains.
    """
    into.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [each for each in opened.infolist() if not each.is_dir()]
            if len(members) > MAX_FILES:
                raise SpecimenError(f"got an archive of {len(members)} files, wanted {MAX_FILES} at most")
            left = MAX_BYTES
            for each in members:
                if (place := _place(each, into)) is not None:
                    left -= _write(opened, each, place, left=left)
    except BaseException as error:
        shutil.rmtree(into, ignore_errors=True)
        if isinstance(error, _DAMAGED):
            raise SpecimenError(f"the archive is damaged or locked ({type(error).__name__}); send it again") from None
        raise


def _place(member: zipfile.ZipInfo, into: Path) -> Path | None:
    """Where a file goes; None for a link, or what macOS leaves behind."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise SpecimenError("the archive has a name that leads out of it; pack its folder anew")
    is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
    return None if is_link or any(each.startswith((".", "__MACOSX")) for each in path.parts) else into / path


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, *, left: int) -> int:
    """The bytes that were written."""
    place.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(member) as stream, place.open("wb") as file:
        while block := stream.read(_BLOCK):
            written += len(block)
            if written > max(_BLOCK, MAX_RATIO * member.compress_size):
                raise SpecimenError("a file of the archive is nearly empty and huge when unpacked; send it otherwise")
            if written > left:
                raise SpecimenError(f"the archive would unpack to more than {MAX_BYTES >> 30} GiB; send less at once")
            file.write(block)
    return written
