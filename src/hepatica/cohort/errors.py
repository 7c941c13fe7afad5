"""Errors: what hepatica raises for its users, one small tree.

HepaticaError
├── CohortError        a cohort folder, table or split breaks its rules
├── EvaluationError    a statistic was asked of data that cannot give it
├── RunError           a run folder is incomplete, altered or of another version
├── SettingsError      a setting is unknown, of the wrong type or out of range
├── SpecimenError      one file (slide, series, spectrum) cannot be read or used
│   └── NotAssessableError   none of the files of a call can
└── UnavailableError   weights, a package or a device that is not to be had here

A message says what was got, what was wanted and what to do next. The command line prints it as one line, exit code 2.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC, EROFS
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any


class HepaticaError(Exception):
    """Anything a user can mend; never raised for a fault of our own."""


class CohortError(HepaticaError):
    """A cohort folder, table or split breaks its rules."""


class EvaluationError(HepaticaError):
    """A statistic was asked of data that cannot give it (one class, no event, NaN scores)."""


class RunError(HepaticaError):
    """A run folder is incomplete, altered or of another version."""


class SettingsError(HepaticaError):
    """A setting is unknown, of the wrong type or out of range."""


class SpecimenError(HepaticaError):
    """One file cannot be read or used; recorded in that specimen's ledger entry, and the others continue."""


class NotAssessableError(SpecimenError):
    """No specimen of a call can be used; `failures` is the table of them, as a store has it."""

    def __init__(self, message: str, *, failures: Any = None) -> None:
        super().__init__(message)
        self.failures = failures


class UnavailableError(HepaticaError):
    """Weights, a package or a device that is not to be had here; the message names the alternatives."""


@contextmanager
def reading(what: str, *, advice: str = "send it again", writing: Path | None = None) -> Iterator[None]:
    """At a reader's front door: whatever goes wrong within, in whichever library, is a SpecimenError that names `what`.

    The libraries that decode files of strangers raise anything, from struct.error to RecursionError; none of it is a
    fault of the caller. The message has the kind of the fault alone: its text may quote the file. A full disk, a
    failure to write into the folder `writing`, and `miscoded` code are no faults of what is read, and are raised as
    they are.
    """
    try:
        yield
    except HepaticaError:
        raise
    except (Exception, SystemExit) as error:  # which a library written as a program may raise
        system = error if isinstance(error, OSError) else OSError()
        own = writing is not None and str(system.filename or "").startswith(str(writing))
        if own or system.errno in (ENOSPC, EDQUOT, EROFS) or miscoded(error):
            raise
        fault = ": ".join(filter(None, (type(error).__name__, system.strerror)))
        raise SpecimenError(
            f"{what} cannot be read ({fault}): it is damaged or of an unknown kind; {advice}"
        ) from error


def miscoded(error: BaseException) -> bool:
    """Whether it is a fault of hepatica's code whatever a file holds: in a line of ours, a name that nothing has, an
    attribute that a module or an object of ours lacks, or a call whose arguments do not fit.

    Other TypeErrors and AttributeErrors in our lines, such as None + 1, may come of values that a file lacks.
    """
    frames = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    if not frames or frames[-1].partition(".")[0] != "hepatica":
        return False
    if isinstance(error, AttributeError):
        kind = error.obj if isinstance(error.obj, type) else type(error.obj)
        return kind is ModuleType or kind.__module__.partition(".")[0] == "hepatica"
    return isinstance(error, NameError) or (isinstance(error, TypeError) and bool(_MISFIT.search(str(error))))


_MISFIT = re.compile(r"\w\(\) (got an unexpected|got multiple|got some|missing|takes) ")
