"""Cli: the entry point; one command is one public function."""

import sys

import typer
from typer.exceptions import TyperException

from hepatica.cli.app import app
from hepatica.cli.stopping import Stopped, end, stop_on_signals

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; an error the user can correct is one line on stderr and exit code 2.

    SIGTERM ends it with 143 and Ctrl-C with 130; the same command then resumes.
    """
    stop_on_signals()
    try:
        code = app(standalone_mode=False)
    except Stopped as stopped:
        end(stopped.code)
    except typer.Abort:
        code = 130
    except Exception as error:
        message = _fault(error)
        if message is None:
            raise
        print("error: " + " ".join(message.split()), file=sys.stderr)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


def _fault(error: Exception) -> str | None:
    """Message of an error that the user can correct; None for one of ours."""
    # Imported here, because it loads pandas, which `--help` need not wait for.
    from hepatica.cohort.errors import HepaticaError

    if isinstance(error, HepaticaError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    if isinstance(error, ModuleNotFoundError):
        return f"the package {error.name} is not installed; pip install 'hepatica[all]'"
    if isinstance(error, TyperException):
        return f"{error.format_message()} (see --help)"
    return None
