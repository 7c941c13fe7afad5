"""Accounts: who may do what: users with roles, the sessions of their browsers, and tokens of their programs."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import get_args
from uuid import uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, delete, select

from hepatica.cohort.errors import SettingsError
from hepatica.serve.database import Database, Role, SessionRow, TokenRow, UserRow
from hepatica.serve.refusals import NotFoundError, NotSignedInError

ROLES: tuple[Role, ...] = get_args(Role)
__all__ = ["LOCAL", "ROLES", "Accounts", "Role", "User"]

LOCAL = "local"
"""Name of the one user of a workbench without users."""

SESSION_S = 12 * 3600.0
"""Seconds without a request after which a browser signs in again: a working day."""

SHORTEST = 12
"""Characters of the shortest password."""


@dataclass(frozen=True, kw_only=True)
class User:
    """Who asks, and as what; `csrf` is the token of their session, empty for a program."""

    name: str
    role: Role
    csrf: str = ""

    def may(self, role: Role) -> bool:
        """Whether they have this role, or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Accounts:
    """Users, sessions and tokens, of which only digests are stored. `secret` is known to this workbench alone: the
    token against forged requests of a user whom the proxy signs in is made of it.
    """

    def __init__(self, database: Database, *, users: bool, secret: bytes) -> None:
        self.database, self.users, self._secret = database, users, secret
        self._hasher = PasswordHasher()
        self._unknown = self._hasher.hash(secrets.token_hex())  # so that an unknown name takes as long as a known one
        self._hashing = BoundedSemaphore(2)  # each takes 64 MiB
        self._invitation = ""
        if not users:
            self._ensure(LOCAL, role="admin")

    def invite(self) -> str:
        """A token, for the link that is printed, which signs the one user in, once."""
        self._invitation = secrets.token_urlsafe(32)
        return self._invitation

    def accept(self, invitation: str) -> str:
        """The cookie of a new session, for the token of `invite`; NotSignedInError where it is another, or was used."""
        given, known = invitation.encode(errors="replace"), self._invitation.encode()
        if not known or not hmac.compare_digest(given, known):
            raise NotSignedInError("this link was used or is of an earlier start; restart hepatica serve for a new one")
        self._invitation = ""
        return self.open_session(LOCAL)

    def sign_in(self, name: str, password: str) -> str:
        """The cookie of a new session; NotSignedInError where name or password are wrong."""
        with self.database.session() as session:
            row = session.get(UserRow, name)
        known = bool(row and row.active and row.password)
        try:
            with self._hashing:
                right = self._hasher.verify(row.password if row and known else self._unknown, password) and known
        except (VerificationError, InvalidHashError):
            right = False
        if not right:
            raise NotSignedInError("name or password are wrong")
        return self.open_session(name)

    def open_session(self, name: str) -> str:
        """The cookie of a new session of this user."""
        cookie = secrets.token_urlsafe(32)
        row = SessionRow(
            digest=digest(cookie), user=name, csrf=secrets.token_urlsafe(32), until=time.time() + SESSION_S
        )
        with self.database.session() as session:
            session.execute(delete(SessionRow).where(SessionRow.until < time.time()))
            session.add(row)
        return cookie

    def close_session(self, cookie: str) -> None:
        """Forget a session."""
        with self.database.session() as session:
            session.execute(delete(SessionRow).where(SessionRow.digest == digest(cookie)))

    def of_cookie(self, cookie: str) -> User | None:
        """Whose session it is; None where it has ended."""
        with self.database.session() as session:
            found = session.execute(
                select(SessionRow, UserRow)
                .join(UserRow, UserRow.name == SessionRow.user)
                .where(SessionRow.digest == digest(cookie), SessionRow.until > time.time(), *self._active())
            ).first()
            if found and found[0].until < time.time() + SESSION_S / 2:
                found[0].until = time.time() + SESSION_S
        return User(name=found[1].name, role=found[1].role, csrf=found[0].csrf) if found else None

    def of_token(self, token: str) -> User | None:
        """Whose program it is, with the lower of its role and theirs; None where the token is unknown or expired."""
        with self.database.session() as session:
            found = session.execute(
                select(TokenRow, UserRow)
                .join(UserRow, UserRow.name == TokenRow.user)
                .where(TokenRow.digest == digest(token), TokenRow.until > time.time(), *self._active())
            ).first()
        if found is None:
            return None
        role = min(found[0].role, found[1].role, key=ROLES.index)
        return User(name=found[1].name, role=role)

    def of_proxy(self, name: str) -> User | None:
        """The user whom the trusted proxy names; None where there is none of that name."""
        with self.database.session() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name, *self._active())).first()
        csrf = hmac.new(self._secret, name.encode(errors="replace"), "sha256").hexdigest()
        return User(name=row.name, role=row.role, csrf=csrf) if row else None

    def issue(self, user: User, *, label: str, role: Role, days: float) -> tuple[str, str, float]:
        """The id and the text of a new token, which is shown once and stored as a digest, and its end in seconds."""
        token, token_id = secrets.token_urlsafe(32), uuid4().hex
        until = time.time() + days * 86400
        row = TokenRow(token_id=token_id, digest=digest(token), user=user.name, role=role, label=label, until=until)
        with self.database.session() as session:
            session.add(row)
        return token_id, token, until

    def tokens(self, user: User) -> list[TokenRow]:
        """The tokens of a user."""
        with self.database.session() as session:
            return list(session.scalars(select(TokenRow).where(TokenRow.user == user.name).order_by(TokenRow.until)))

    def revoke(self, user: User, token_id: str) -> None:
        """Forget a token of this user; NotFoundError where there is none."""
        with self.database.session() as session:
            row = session.get(TokenRow, token_id)
            if row is None or row.user != user.name:
                raise NotFoundError("there is no token of that id")
            session.delete(row)

    def set_user(self, name: str, *, role: Role, password: str = "", active: bool = True) -> None:
        """Add a user, or change them, whose sessions end; without a password, an earlier one stays.

        SettingsError for a short password or a name that is not plain.
        """
        if not name or len(name) > 100 or not name.isprintable() or name == LOCAL:
            raise SettingsError(f"got a name that is empty, long, not printable or {LOCAL!r}; choose another")
        if password and len(password) < SHORTEST:
            raise SettingsError(f"got a password of {len(password)} characters, wanted {SHORTEST} or more")
        hashed = self._hasher.hash(password) if password else ""
        with self.database.session() as session:
            row = session.get(UserRow, name)
            kept = hashed or (row.password if row else "")
            created = row.created if row else time.time()
            session.merge(UserRow(name=name, role=role, password=kept, active=active, created=created))
            session.execute(delete(SessionRow).where(SessionRow.user == name))

    def all(self) -> list[UserRow]:
        """Every user, by name."""
        with self.database.session() as session:
            return list(session.scalars(select(UserRow).order_by(UserRow.name)))

    def _active(self) -> list[ColumnElement[bool]]:
        """Whose sessions and tokens count: with users, not those of the one user that the workbench had before."""
        return [UserRow.active.is_(True), *([UserRow.name != LOCAL] if self.users else [])]

    def _ensure(self, name: str, *, role: Role) -> None:
        with self.database.session() as session:
            if session.get(UserRow, name) is None:
                session.add(UserRow(name=name, role=role, password="", active=True, created=time.time()))


def digest(token: str) -> str:
    """SHA-256 of a token of 256 random bits, which needs no salt."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
