"""Settings: the file that names who may send, which model a study goes to, and where its results go."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, TypeAdapter, ValidationError

from hepatica.cohort.atomic import parse_toml
from hepatica.cohort.errors import SettingsError
from hepatica.serve.node.rules import STRICT, Rule

Port = Annotated[int, Field(ge=0, le=65535)]
Title = Annotated[str, Field(pattern=r"^[ -\[\]-~]{1,16}$")]
"""An AE title (PS3.5, VR AE): 1 to 16 printable characters, no backslash."""


FREE_GIB, LARGEST_GIB = 1.0, 2.0


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Encrypt, and prove who one is: paths of PEM files.

    `certificate` with `key` is shown to the other side; `ca` are the authorities of whom the other side must have its
    own. A server needs the former; with `ca` it refuses callers without a certificate. A client without `ca` trusts
    those of the system.
    """

    __pydantic_config__ = STRICT
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None

    def server(self) -> ssl.SSLContext:
        """What a listener encrypts with; TLS 1.2 at least."""
        if self.certificate is None:
            raise SettingsError("got [tls] without a certificate; name certificate and key, in PEM")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self._authorities())
        context.verify_mode = ssl.CERT_REQUIRED if self.ca else ssl.CERT_NONE
        return self._shown(context)

    def client(self) -> ssl.SSLContext:
        """What a caller encrypts with; the name of the host must be that of its certificate."""
        return self._shown(ssl.create_default_context(cafile=self._authorities()))

    def _authorities(self) -> str | None:
        if self.ca is not None and not self.ca.is_file():
            raise SettingsError(f"there is no file {self.ca} of authorities; correct tls.ca")
        return None if self.ca is None else str(self.ca)

    def _shown(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate, self.key)
            except (OSError, ssl.SSLError) as error:
                raise SettingsError(f"{self.certificate} or its key cannot be used ({error}); name PEM files") from None
        return context


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Where results go: either by C-STORE, to `title` at `host` and `port`, or by STOW-RS, to `url`.

    `authorization` is a file with the value of the HTTP header of that name, such as Bearer and a token.
    """

    __pydantic_config__ = STRICT
    title: Title | None = None
    host: str | None = None
    port: Port | None = None
    url: str | None = None
    authorization: Path | None = None
    tls: Tls | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (None in (self.title, self.host, self.port)):
            raise SettingsError("got an archive with neither or both; name url, or title, host and port")


@dataclass(frozen=True, kw_only=True)
class Stow:
    """STOW-RS in: the port of a server of its own, and a file with the token that callers must send (Bearer)."""

    __pydantic_config__ = STRICT
    port: Port
    token: Path
    host: str = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class NodeSettings:
    """What `read_settings` reads; `callers` are the AE titles that may send."""

    __pydantic_config__ = STRICT
    title: Title = "HEPATICA"
    host: str = "127.0.0.1"
    port: Port = 11112
    callers: Annotated[tuple[Title, ...], Field(min_length=1)]
    rules: tuple[Rule, ...]
    archives: Mapping[str, Archive] = field(default_factory=dict)
    tls: Tls | None = None
    stow: Stow | None = None
    quiet_s: PositiveFloat = 60.0
    """Seconds without a new object after which a study is complete. Ours."""
    keep_days: PositiveFloat = 30.0
    """Days for which the files of a study are kept after it was last worked on. Ours."""
    free_gib: NonNegativeFloat = FREE_GIB
    """Space on the disk below which nothing is accepted. Ours."""
    largest_gib: PositiveFloat = LARGEST_GIB
    """What one object may have; it is in memory while it arrives. Ours."""
    associations: PositiveInt = 10
    """Connections at once. Ours."""

    def __post_init__(self) -> None:
        for rule in self.rules:
            for name in {*rule.to, *filter(None, [rule.notify])} - set(self.archives):
                known = ", ".join(self.archives) or "there is none"
                raise SettingsError(f"got the archive {name!r} in a rule, wanted one of [archives]: {known}")
            if rule.notify and self.archives[rule.notify].url:
                raise SettingsError(f"got notify = {rule.notify!r}, an archive by url; name one with title, host, port")


def read_settings(path: Path) -> NodeSettings:
    """The settings in a TOML file; paths in it are relative to its folder. SettingsError names every fault."""
    try:
        given = parse_toml(path.read_text(encoding="utf-8"))
        found = TypeAdapter(NodeSettings).validate_python(given)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise SettingsError(f"{path} has faults: {faults}") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); give the settings of the node") from None
    except ValueError as error:
        raise SettingsError(f"{path} is not valid TOML ({error}); correct it") from None
    return _from(found, path.resolve().parent)


def _from(found: NodeSettings, folder: Path) -> NodeSettings:
    def placed(tls: Tls | None) -> Tls | None:
        return tls and Tls(**{name: each and folder / each for name, each in vars(tls).items()})

    archives = {
        name: replace(
            each, tls=placed(each.tls), authorization=each.authorization and folder / each.authorization
        )
        for name, each in found.archives.items()
    }  # fmt: skip
    stow = found.stow and replace(found.stow, token=folder / found.stow.token)
    return replace(found, tls=placed(found.tls), archives=archives, stow=stow)
