"""Database: the tables that the migrations make are those of the models, in SQLite and in PostgreSQL."""

from multiprocessing import get_context
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from hepatica.runs.jobs import Jobs
from hepatica.serve.database import MIGRATIONS, Base, Database, UserRow, migrate


@pytest.fixture(params=["file", "server"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    return tmp_path / "a.sqlite" if request.param == "file" else request.getfixturevalue("postgresql")


def test_the_migrations_make_what_the_models_say(where: Path | str) -> None:
    Jobs(where)  # its table is not ours
    migrate(where)
    migrate(where)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["where"] = where
    command.check(config)
    database = Database(where)
    assert set(inspect(database.engine).get_table_names()) == {*Base.metadata.tables, "alembic_version", "jobs"}
    database.close()


def test_a_transaction_is_kept_as_a_whole_or_not_at_all(where: Path | str) -> None:
    migrate(where)
    database = Database(where)
    with pytest.raises(IntegrityError), database.session() as session:
        session.add_all(UserRow(name=name, role="viewer", password="", active=True, created=0) for name in ("a", "a"))
    with database.session() as session:
        assert session.get(UserRow, "a") is None
    database.close()


def test_processes_that_start_at_once_migrate_once(where: Path | str) -> None:
    context = get_context("spawn")
    both = [context.Process(target=migrate, args=(where,)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert [each.exitcode for each in both] == [0, 0]
