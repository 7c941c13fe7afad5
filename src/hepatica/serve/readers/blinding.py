"""Blinding: whoever is yet to read a case alone in a reader study is not shown what the model says of it."""

from hepatica.serve.accounts import User
from hepatica.serve.readers.reading_study import Studies
from hepatica.serve.refusals import ForbiddenError
from hepatica.serve.workbench import Workbench


def studies_of(bench: Workbench) -> Studies:
    """The reader studies of a workbench."""
    return Studies(bench.settings.data / "reading")


def is_blind(bench: Workbench, user: User, case_id: str) -> bool:
    """Whether they have begun a study and are yet to read this case alone, and do not read it with the model right now.

    Never in a workbench without users, whose one user is every reader.
    """
    return bench.accounts.users and studies_of(bench).is_blind(case_id, user.name)


def refuse_blind(bench: Workbench, user: User, case_id: str) -> None:
    """ForbiddenError where `is_blind`."""
    if is_blind(bench, user, case_id):
        raise ForbiddenError(
            "you are to read this case alone in a reader study first; its result is shown once you have, or ask"
            " whoever leads the study"
        )
