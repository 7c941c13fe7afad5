"""Audit: who saw or did what, and when, by random ids alone."""

import time
from dataclasses import dataclass

from sqlalchemy import select

from hepatica.serve.database import AuditRow, Database


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the log; `time` in seconds since 1970, UTC."""

    time: float
    user: str
    action: str
    subject: str


class Audit:
    """A log to which lines are added, and from which none is taken."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record(self, user: str, action: str, subject: str = "") -> None:
        """Add a line, such as ("anna", "saw case", case_id); never a name of a file or a patient."""
        with self.database.session() as session:
            session.add(AuditRow(time=time.time(), user=user, action=action, subject=subject))

    def entries(self, *, subject: str | None = None, limit: int = 1000) -> list[Entry]:
        """The newest first, of one subject or all."""
        asked = select(AuditRow).order_by(AuditRow.number.desc()).limit(limit)
        with self.database.session() as session:
            rows = session.scalars(asked.where(AuditRow.subject == subject) if subject else asked).all()
        return [Entry(time=each.time, user=each.user, action=each.action, subject=each.subject) for each in rows]
