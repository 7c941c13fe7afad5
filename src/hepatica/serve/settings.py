"""Settings: where a workbench keeps what it writes, whom it listens to, and how much it takes."""

import json
from dataclasses import asdict, dataclass, fields
from os import environ
from pathlib import Path
from typing import Any

from hepatica.cohort.errors import SettingsError

ENVIRONMENT = "HEPATICA_WORKBENCH"
"""Variable by which the processes of the workers know the settings; a password of the database is on no command line
and in no job.
"""

GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A workbench. `data` has everything it writes; `runs` is a folder of run folders, or one run; `cohorts` one of
    cohort folders. `database` is a file, by default in `data`, or a postgresql:// URL. With `users`, people sign in by
    name; without, whoever has the link that is printed is the one user. `trusted_proxy` is the address whose headers
    say who a request is from. `names` are names of the host, beside its address, by which browsers may ask.
    """

    data: Path
    runs: Path
    cohorts: Path | None = None
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 8750
    names: tuple[str, ...] = ()
    workers: int = 1
    users: bool = False
    trusted_proxy: str = ""
    secure: bool = False
    """Whether browsers reach it by HTTPS alone: cookies are then never sent otherwise."""

    largest_upload_bytes: int = 2 * GIB
    longest_upload_s: float = 6 * 3600.0
    """After which a half upload is removed."""

    retention_days: float | None = None
    """Days after which a case is removed with all that belongs to it; None: never."""

    memory_bytes: int = 8 * GIB
    """Resident memory that one worker may have while it reads the files of a case."""

    longest_case_s: float = 2 * 3600.0
    """Seconds that one case may take."""

    def __post_init__(self) -> None:
        if "://" in self.database and not self.database.startswith("postgresql://"):
            raise SettingsError(f"got the database {self.database.split('://')[0]}://…, wanted postgresql:// or a file")
        if not self.users and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise SettingsError(f"got the host {self.host} for a single user, wanted 127.0.0.1; others need --users")

    @property
    def where(self) -> Path | str:
        """The database, as `Jobs` and `Database` take it."""
        return self.database if "://" in self.database else Path(self.database or self.data / "workbench.sqlite")

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names by which a browser may ask, lest another site's name be pointed at this machine; none: any."""
        own = ("127.0.0.1", "localhost", "[::1]")
        return (*own, *self.names) if self.names or not self.users else ()

    def to_environment(self) -> None:
        """Let the processes that this one starts know the settings."""
        environ[ENVIRONMENT] = json.dumps(asdict(self), default=str)


def of_environment() -> Settings:
    """The settings of the workbench whose process started this one; SettingsError where there is none."""
    if ENVIRONMENT not in environ:
        raise SettingsError(
            f"got no {ENVIRONMENT}, wanted the settings of a workbench; start workers by hepatica serve"
        )
    given: dict[str, Any] = json.loads(environ[ENVIRONMENT])
    paths = {each.name for each in fields(Settings) if "Path" in str(each.type)}
    read = {name: Path(value) if name in paths and value is not None else value for name, value in given.items()}
    return Settings(**read | {"names": tuple(given["names"])})
