"""Multipart: the pieces of a message of several DICOM files (multipart/related), as DICOMweb sends them, bounded."""

from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from hepatica.cohort.errors import SpecimenError

MOST_HEADERS, LONGEST_HEADER = 8, 1024
"""Lines before each piece, and bytes in one. Ours."""


class Parts:
    """Feed it what arrives; it gives back each piece once whole. No piece may have more than `largest` bytes.

    SpecimenError where the type of the content is another, and from `feed` and `end` where the message breaks the
    rules of RFC 2046 or a bound; the pieces given back before are whole.
    """

    def __init__(self, content_type: str, *, largest: int) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/related" or not options.get(b"boundary"):
            raise SpecimenError("got another type of content, wanted multipart/related with a boundary")
        if options.get(b"type", b"application/dicom").strip(b'"').lower() != b"application/dicom":
            raise SpecimenError("got pieces of another type, wanted application/dicom")
        self._largest, self._done, self._ended = largest, list[bytes](), False
        self._now = bytearray()
        handlers: Any = {
            "on_part_begin": self._now.clear,
            "on_part_data": self._more,
            "on_part_end": self._whole,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(
                options[b"boundary"], handlers, max_header_count=MOST_HEADERS, max_header_size=LONGEST_HEADER
            )
        except FormParserError:
            raise SpecimenError("got a boundary that is too long") from None

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces that are whole now."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise SpecimenError("the message is not made as RFC 2046 has it, or has too many headers") from None
        done, self._done = self._done, []
        return done

    def end(self) -> None:
        """Say that nothing more will come; SpecimenError where more should have."""
        if not self._ended:
            raise SpecimenError("the message ends before its last boundary; send it again")

    def _more(self, data: bytes, start: int, end: int) -> None:
        if len(self._now) + end - start > self._largest:
            raise SpecimenError(f"a piece has more than {self._largest:,} bytes, the most that is taken")
        self._now += data[start:end]

    def _whole(self) -> None:
        self._done.append(bytes(self._now))
        self._now.clear()

    def _end(self) -> None:
        self._ended = True


def message(pieces: list[bytes], *, boundary: str) -> bytes:
    """A message with these pieces; `boundary` occurs in none of them."""
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + piece + b"\r\n" for piece in pieces) + f"--{boundary}--\r\n".encode()
