"""Database: the tables of the workbench beside that of its jobs, the same in SQLite and in PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, Engine, Float, ForeignKey, Integer, String, Text, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

Role = Literal["viewer", "reader", "operator", "admin"]
"""A viewer sees results; a reader also submits cases and reads them; an operator also starts and stops jobs and removes
cases; an admin also manages users and reads the audit log.
"""

ID = 32
"""Digits of an identifier, drawn at random, and of the digests by which tokens are known."""

MIGRATIONS = Path(__file__).with_name("migrations")


class Base(DeclarativeBase):
    """All tables of the workbench but `jobs`, which `runs.jobs` has."""


class CaseRow(Base):
    """What was submitted. `content` is the digest of its files and of the locked model: each once."""

    __tablename__ = "cases"
    case_id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    content: Mapped[str] = mapped_column(String(64), unique=True)
    run: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(40))
    created: Mapped[float] = mapped_column(Float(53), index=True)
    owner: Mapped[str] = mapped_column(String(100))
    origin: Mapped[dict[str, str]] = mapped_column(JSON)


class UserRow(Base):
    """Who may sign in, as what; `password` is its Argon2 hash, empty where a proxy says who it is."""

    __tablename__ = "users"
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    role: Mapped[Role] = mapped_column(String(20))
    password: Mapped[str] = mapped_column(Text)
    active: Mapped[bool]
    created: Mapped[float] = mapped_column(Float(53))


class SessionRow(Base):
    """A browser that has signed in, known by the digest of its cookie."""

    __tablename__ = "sessions"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    until: Mapped[float] = mapped_column(Float(53))


class TokenRow(Base):
    """A program that may ask in the name of a user, with at most this role."""

    __tablename__ = "tokens"
    token_id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"), index=True)
    role: Mapped[Role] = mapped_column(String(20))
    label: Mapped[str] = mapped_column(String(100))
    until: Mapped[float] = mapped_column(Float(53))


class UploadRow(Base):
    """A file that is arriving; its part file says how much is there. `case_id` is empty until it is submitted."""

    __tablename__ = "uploads"
    upload_id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    user: Mapped[str] = mapped_column(String(100), index=True)
    name: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    created: Mapped[float] = mapped_column(Float(53), index=True)
    case_id: Mapped[str] = mapped_column(String(ID))


class AuditRow(Base):
    """Who saw or did what, and when; `subject` is a random id or the name of a run or user."""

    __tablename__ = "audit"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    time: Mapped[float] = mapped_column(Float(53), index=True)
    user: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(300), index=True)


class Database:
    """An SQLite file, or PostgreSQL by its URL."""

    def __init__(self, where: Path | str) -> None:
        self.engine = engine_of(where)

    def close(self) -> None:
        """Close its connections."""
        self.engine.dispose()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: kept as a whole where the block ends well, else nothing of it."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session


def engine_of(where: Path | str) -> Engine:
    """The engine of a file or a postgresql:// URL."""
    if isinstance(where, str) and "://" in where:
        url = where.replace("postgresql://", "postgresql+psycopg://", 1)
        return create_engine(
            url, pool_pre_ping=True, pool_size=20, max_overflow=30, connect_args={"connect_timeout": 10}
        )
    Path(where).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{where}", pool_size=20, max_overflow=30, connect_args={"timeout": 10})

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def migrate(where: Path | str) -> None:
    """Bring the tables to the state that this version of hepatica reads; nothing is done where they are."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["where"] = where
    command.upgrade(config, "head")
