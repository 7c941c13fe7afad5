"""Workbench: the store of one installation, which the application, the workers and the node share."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hepatica.runs.jobs import Jobs
from hepatica.serve.accounts import Accounts
from hepatica.serve.audit import Audit
from hepatica.serve.cases import Cases
from hepatica.serve.database import Database, migrate
from hepatica.serve.settings import Settings
from hepatica.serve.uploads import Uploads
from hepatica.serve.views.viewers import Viewers


@dataclass(frozen=True)
class Workbench:
    """Everything that lasts."""

    settings: Settings
    database: Database
    jobs: Jobs
    cases: Cases
    uploads: Uploads
    accounts: Accounts
    audit: Audit
    viewers: Viewers


def open_workbench(settings: Settings) -> Workbench:
    """The workbench of these settings, made where there is none; its database is brought up to date."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrate(settings.where)
    database, jobs = Database(settings.where), Jobs(settings.where)
    cases = Cases(settings, database=database, jobs=jobs)
    accounts = Accounts(database, users=settings.users, secret=_secret(settings.data / "secret"))
    uploads = Uploads(settings, database=database)
    viewers = Viewers(memory=settings.memory_bytes)
    return Workbench(settings, database, jobs, cases, uploads, accounts, Audit(database), viewers)


def _secret(path: Path) -> bytes:
    """Random bytes, drawn once and readable by this user alone."""
    with suppress(FileExistsError), open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(secrets.token_bytes(32))
    return path.read_bytes()
