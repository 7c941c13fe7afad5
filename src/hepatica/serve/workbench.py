"""Workbench: the store of one installation, which the application, the workers and the node share."""

from dataclasses import dataclass

from hepatica.runs.jobs import Jobs
from hepatica.serve.accounts import Accounts
from hepatica.serve.audit import Audit
from hepatica.serve.cases import Cases
from hepatica.serve.database import Database, migrate
from hepatica.serve.settings import Settings


@dataclass(frozen=True)
class Workbench:
    """Everything that lasts."""

    settings: Settings
    database: Database
    jobs: Jobs
    cases: Cases
    accounts: Accounts
    audit: Audit


def open_workbench(settings: Settings) -> Workbench:
    """The workbench of these settings, made where there is none; its database is brought up to date."""
    settings.data.mkdir(parents=True, exist_ok=True)
    migrate(settings.where)
    database, jobs = Database(settings.where), Jobs(settings.where)
    cases = Cases(settings, database=database, jobs=jobs)
    accounts = Accounts(database, users=settings.users)
    return Workbench(settings, database, jobs, cases, accounts, Audit(database))
