"""Cli: the front door; one command is one public function."""

import sys

from hepatica.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; a fault the user can mend is one line on stderr and exit code 2."""
    try:
        app()
    except Exception as error:
        # Imported here, because the floor loads pandas, which `--help` need not wait for.
        from hepatica.cohort.errors import HepaticaError

        if isinstance(error, HepaticaError):
            message = str(error)
        elif isinstance(error, OSError):
            message = f"{error.filename or 'the system'}: {error.strerror or error}"
        else:
            raise
        print("error: " + " ".join(message.split()), file=sys.stderr)
        sys.exit(2)
