"""File server: a store of files on the loopback, for tests, with the faults that they ask of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class FileServer:
    """`files` by their path; `faults` are met first by requests of content, one each: a status, or after how many bytes
    the connection breaks. `asked` has the path and range of each of these. Without `sized` no size is
    announced; `accepts` is what the server says of ranges.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    sized: bool = True
    accepts: str = ""
    faults: list[int | None] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_HEAD(self) -> None:
        self.reply(self.server.store, None)

    def do_GET(self) -> None:
        store = self.server.store
        store.asked.append((self.path, self.headers.get("Range", "")))
        fault = store.faults.pop(0) if store.faults else None
        if fault in range(400, 600):
            self.send_error(fault)
            return
        body = self.reply(store, fault)
        self.wfile.write(body[:fault])

    def reply(self, store: FileServer, fault: int | None) -> bytes:
        """Send the head of what is asked for, and return its bytes."""
        whole = store.files.get(self.path)
        if whole is None:
            self.send_error(404)
            return b""
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "") if store.ranges else "")
        first, last = (int(wanted[1]), int(wanted[2] or len(whole) - 1)) if wanted else (0, len(whole) - 1)
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(whole)}")
        if store.sized:
            self.send_header("Content-Length", str(len(whole[first : last + 1])))
        if store.accepts:
            self.send_header("Accept-Ranges", store.accepts)
        self.send_header("ETag", f'"{hash(whole)}"')
        self.end_headers()
        self.close_connection = fault is not None or not store.sized
        return whole[first : last + 1]

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[FileServer]:
    """A server that is there as long as the block."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.handle_error = lambda *given: None  # a client may hang up
    server.store = FileServer(url=f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
