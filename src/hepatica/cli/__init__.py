"""Cli: the entry point; one command is one public function, and SIGTERM and Ctrl-C end it so that it can be resumed."""

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from hepatica.cli.app import app

__all__ = ["app", "main"]

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


def main() -> None:
    """Run the command line; an error the user can correct is one line on stderr and exit code 2.

    SIGTERM ends it with 143 and Ctrl-C with 130; the same command then resumes.
    """
    stop_on_signals()
    try:
        code = app(standalone_mode=False)
    except Stopped as stopped:
        end(stopped.code)
    except SystemExit as ended:
        if ended.code == 128 + signal.SIGTERM:  # which a training has answered
            end(ended.code)
        raise
    except typer.Abort:
        code = 130
    except Exception as error:
        code = _answered(error)
        if code is None:
            raise
    sys.exit(code if isinstance(code, int) else 0)


def _answered(error: Exception) -> int | None:
    """The exit code for what has been said to the user; None for a fault of ours."""
    if type(error).__name__ == "NoArgsIsHelpError":  # typer does not export it; the help is printed already
        return 0
    if type(error).__name__ == "Shared":  # whose module takes seconds to import
        print(error)
        return 0
    if message := _fault(error):
        print("error: " + " ".join(message.split()), file=sys.stderr)
        return 2
    return None


def _fault(error: Exception) -> str | None:
    """Message of an error that the user can correct; None for one of ours."""
    # Imported here, because it loads pandas, which `--help` need not wait for.
    from hepatica.cohort.errors import HepaticaError

    if isinstance(error, HepaticaError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    if type(error).__name__ in ("OperationalError", "DatabaseError"):  # of SQLite or PostgreSQL
        return f"the table of jobs: {error}; free space, or make the database ready, then start again"
    if isinstance(error, ModuleNotFoundError):
        return f"the package {error.name} is not installed; pip install 'hepatica[all]'"
    if isinstance(error, TyperException):
        return f"{error.format_message()} (see --help)"
    return None
