"""Stopping: SIGTERM and Ctrl-C end a command with the exit code of the signal and say that it can be resumed."""

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

GRACE = 5.0
"""Seconds for temporary files to be removed. Ours; nothing is lost without it, for files are replaced whole."""


class Stopped(BaseException):
    """A signal asked the command to end. Not KeyboardInterrupt, which Lightning and Typer end in their own ways."""

    def __init__(self, number: int) -> None:
        self.code = 128 + number


def stop_on_signals() -> None:
    """Let Ctrl-C and SIGTERM raise Stopped; what was ignored from the start, as nohup does, stays ignored.

    Nothing is changed in a thread, where Python does not allow it.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def end(code: int) -> NoReturn:
    """End the process now, whatever its threads are doing."""
    with suppress(OSError):
        sys.stdout.flush()
        print("stopped; the same command resumes", file=sys.stderr, flush=True)
    os._exit(code)


_OWNER = os.getpid()


def _stop(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _OWNER:
        os._exit(128 + number)  # a worker process has nothing to say
    stopped = Stopped(number)
    # An exception in a finaliser is lost, and a thread may take minutes: the command ends all the same.
    late = threading.Timer(GRACE, end, (stopped.code,))
    late.daemon = True
    late.start()
    raise stopped
