"""Asked: SIGTERM, answered at a moment of our own choice."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ENDED = 128 + signal.SIGTERM
"""Exit code of a process that SIGTERM has ended."""


@contextmanager
def asked(answer: Callable[[], object]) -> Iterator[Any]:
    """Within the block SIGTERM calls `answer` and nothing else; where it was ignored it still is.

    Yields what Python takes as its handler; None in a thread, to which Python gives no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    before = signal.getsignal(signal.SIGTERM)
    handler = signal.SIG_IGN if before is signal.SIG_IGN else lambda *_: answer()
    signal.signal(signal.SIGTERM, handler)
    try:
        yield handler
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
