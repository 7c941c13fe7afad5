"""Accounts: sign in and out, tokens for programs, users, the audit log."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field, SecretStr

from hepatica.serve.accounts import Role, User
from hepatica.serve.api.answers import REFUSALS, Admin, Bench, Id, Plain, Viewer
from hepatica.serve.refusals import ForbiddenError
from hepatica.serve.sign_in import COOKIE, attempt, set_cookie

router = APIRouter(prefix="/api/v1", tags=["accounts"], responses=REFUSALS)
Name = Annotated[Plain, Path(max_length=100)]


class Credentials(BaseModel):
    """Name and password."""

    name: Plain = Field(min_length=1, max_length=100)
    password: SecretStr = Field(max_length=1000)


class Me(BaseModel):
    """Who is signed in. Requests of a browser that change something bring `csrf` along as the header X-CSRF-Token."""

    name: str
    role: Role
    csrf: str


class Asked(BaseModel):
    """A token for a program: what for, as what, for how many days."""

    label: Plain = Field(min_length=1, max_length=100)
    role: Role = "reader"
    days: float = Field(90, gt=0, le=366, allow_inf_nan=False)


class Token(BaseModel):
    """A token. `token` is shown once, when it is made."""

    token_id: str
    label: str
    role: Role
    until: float
    token: str = ""


class Person(BaseModel):
    """A user."""

    name: str
    role: Role
    active: bool


class Change(BaseModel):
    """What a user is to be; without a password, an earlier one stays."""

    role: Role
    password: SecretStr = Field(SecretStr(""), max_length=1000)
    active: bool = True


class Line(BaseModel):
    """One line of the audit log; `time` in seconds since 1970, UTC."""

    time: float
    user: str
    action: str
    subject: str


@router.post("/session")
def sign_in(asked: Credentials, bench: Bench, request: Request, response: Response) -> Me:
    """Sign in; the answer sets the cookie of the session."""
    cookie = attempt(request, name=asked.name, password=asked.password.get_secret_value())
    set_cookie(request, response, cookie)
    found = bench.accounts.of_cookie(cookie)
    return _me(found or User(name=asked.name, role="viewer"))


@router.get("/session")
def me(user: Viewer) -> Me:
    """Who is signed in."""
    return _me(user)


@router.delete("/session", status_code=204)
def sign_out(bench: Bench, user: Viewer, request: Request) -> Response:
    """Sign out."""
    bench.accounts.close_session(request.cookies.get(COOKIE, ""))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE)
    return response


@router.get("/tokens")
def tokens(bench: Bench, user: Viewer) -> list[Token]:
    """Your tokens."""
    return [
        Token(token_id=each.token_id, label=each.label, role=each.role, until=each.until)
        for each in bench.accounts.tokens(user)
    ]


@router.post("/tokens", status_code=201)
def issue(asked: Asked, bench: Bench, user: Viewer) -> Token:
    """Make a token, with at most your own role."""
    if not user.may(asked.role):
        raise ForbiddenError(f"got a token of the role {asked.role}, wanted {user.role} at most")
    token_id, token, until = bench.accounts.issue(user, label=asked.label, role=asked.role, days=asked.days)
    bench.audit.record(user.name, "made token", token_id)
    return Token(token_id=token_id, label=asked.label, role=asked.role, until=until, token=token)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke(token_id: Id, bench: Bench, user: Viewer) -> Response:
    """Revoke one of your tokens."""
    bench.accounts.revoke(user, token_id)
    bench.audit.record(user.name, "revoked token", token_id)
    return Response(status_code=204)


@router.get("/users")
def users(bench: Bench, user: Admin) -> list[Person]:
    """All users."""
    return [Person(name=each.name, role=each.role, active=each.active) for each in bench.accounts.all()]


@router.put("/users/{name}")
def set_user(name: Name, asked: Change, bench: Bench, user: Admin) -> Person:
    """Add a user, or change them; their sessions end."""
    if name == user.name and (asked.role != "admin" or not asked.active):
        raise ForbiddenError("you cannot take the role of admin from yourself; another admin can")
    bench.accounts.set_user(name, role=asked.role, password=asked.password.get_secret_value(), active=asked.active)
    bench.audit.record(user.name, "changed user", name)
    return Person(name=name, role=asked.role, active=asked.active)


@router.get("/audit")
def audit(
    bench: Bench,
    user: Admin,
    subject: Annotated[Plain | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> list[Line]:
    """Who saw or did what, the newest first."""
    return [
        Line(time=each.time, user=each.user, action=each.action, subject=each.subject)
        for each in bench.audit.entries(subject=subject, limit=limit)
    ]


def _me(user: User) -> Me:
    return Me(name=user.name, role=user.role, csrf=user.csrf)
