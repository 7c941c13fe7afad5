"""Record: read a value out of a GDC record, whatever is missing in it."""

import math
from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]
"""One JSON object of an answer: a case, a diagnosis, a follow-up."""

_NOT_REPORTED = frozenset(
    {"", "--", "'--", "not allowed to collect", "not applicable", "not available", "not reported", "unknown"}
)
_MOST_DAYS = 32872
"""Ninety years, the dictionary's own bound of every day (gdcdictionary, follow_up.yaml)."""


def records(parent: Record, name: str) -> list[Record]:
    """The records below `name`: a list of them, one alone, or none."""
    below = parent.get(name)
    return [each for each in (below if isinstance(below, list) else [below]) if isinstance(each, dict)]


def words(record: Record, name: str) -> list[str]:
    """The words or phrases recorded, one or a list of them, each on one line."""
    value = record.get(name)
    phrases = [" ".join(str(each).split()) for each in (value if isinstance(value, list) else [value]) if _plain(each)]
    return [each for each in phrases if each.lower() not in _NOT_REPORTED]


def text(record: Record, name: str) -> str:
    """The word or phrase recorded, several joined by semicolons; empty where the archive has none."""
    return "; ".join(words(record, name))


def yes(record: Record, name: str) -> bool:
    """Whether the answer is yes; the API says true and "true" of the same field."""
    return text(record, name).lower() in ("yes", "true")


def no(record: Record, name: str) -> bool:
    """Whether the answer is no, which is not the same as no answer."""
    return text(record, name).lower() in ("no", "false")


def number(record: Record, name: str) -> float | None:
    """A finite number of 0 or more; None where there is none."""
    value = _finite(record.get(name))
    return value if value is not None and value >= 0 else None


def day(record: Record, name: str) -> int | None:
    """A day counted from the index date, negative before it; None where there is none or it cannot be one."""
    value = _finite(record.get(name))
    return int(value) if value is not None and abs(value) <= _MOST_DAYS else None


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _finite(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
