"""Env: how Alembic reaches the workbench's database, and what in it is not its own."""

from typing import Any

from alembic import context
from sqlalchemy import text

from hepatica.serve.database import Base, engine_of

LOCK = 8_750_019
"""Number of the lock in PostgreSQL by which one process migrates at a time."""


def ours(_: Any, name: str | None, kind: str, *rest: Any) -> bool:
    """`jobs` is made by `runs.jobs`."""
    return not (kind == "table" and name == "jobs")


engine = engine_of(context.config.attributes["where"])
with engine.connect() as connection:
    if engine.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    else:
        connection.execute(text("BEGIN IMMEDIATE"))
    context.configure(
        connection=connection, target_metadata=Base.metadata, include_object=ours, render_as_batch=True,
        compare_type=True,
    )  # fmt: skip
    context.run_migrations()
    connection.commit()
engine.dispose()
