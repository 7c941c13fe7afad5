"""Refusals: what a request cannot have, each with its HTTP status and a code for programs."""

from typing import ClassVar

from hepatica.cohort.errors import HepaticaError


class RefusalError(HepaticaError):
    """A request that is not granted."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"


class UnreadableError(RefusalError):
    """A request without what it needs."""

    status, code = 400, "unreadable"


class NotSignedInError(RefusalError):
    """Whoever asks is not signed in, or no longer."""

    status, code = 401, "not_signed_in"


class ForbiddenError(RefusalError):
    """Whoever asks lacks the role, or the CSRF token."""

    status, code = 403, "forbidden"


class NotFoundError(RefusalError):
    """There is no such case, run, job or upload; or it is none of theirs."""

    status, code = 404, "not_found"


class ConflictError(RefusalError):
    """What is there already, or is not there yet, does not allow it."""

    status, code = 409, "conflict"


class TooLargeError(RefusalError):
    """More bytes than are taken."""

    status, code = 413, "too_large"


class TooOftenError(RefusalError):
    """Too many requests of this kind in a short time."""

    status, code = 429, "too_often"


class UnsuitableError(RefusalError):
    """Files of another kind than the model reads."""

    status, code = 415, "wrong_kind"


class FullError(RefusalError):
    """The disk has no room for it."""

    status, code = 507, "disk_full"
