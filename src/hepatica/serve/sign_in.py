"""Sign-in: who a request is from: the cookie of a session, the token of a program, or the word of a trusted proxy."""

import hmac
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from hepatica.serve.accounts import Role, User
from hepatica.serve.refusals import ForbiddenError, NotSignedInError
from hepatica.serve.workbench import Workbench

COOKIE = "hepatica_session"
CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "csrf_token"
PROXY_HEADER = "x-forwarded-user"
_SAFE = ("GET", "HEAD", "OPTIONS")


def workbench_of(request: Request) -> Workbench:
    """The workbench of the application."""
    found: Workbench = request.app.state.workbench
    return found


def user_of(request: Request) -> User:
    """Who asks, once a request; NotSignedInError where it is unknown. `csrf` is what forms must bring along."""
    if not hasattr(request.state, "user"):
        request.state.user = _found(request)
    user: User | None = request.state.user
    if user is None:
        raise NotSignedInError("sign in, or send a token: Authorization: Bearer …")
    return user


def require(role: Role) -> Callable[[Request], Awaitable[User]]:
    """A dependency: the user, who has this role or a higher one, and with a cookie also the token of their session."""

    async def check(request: Request) -> User:
        user = await run_in_threadpool(user_of, request)
        if not user.may(role):
            raise ForbiddenError(f"this needs the role {role}; you have {user.role}")
        if user.csrf and request.method not in _SAFE:
            await _refuse_forged(request, user)
        return user

    return check


def attempt(request: Request, *, name: str, password: str) -> str:
    """The cookie of a new session; TooOftenError after too many tries for a name or from an address."""
    workbench, limits = workbench_of(request), request.app.state.attempts
    limits["name"].count(name)
    limits["address"].count(request.client.host if request.client else "")
    try:
        cookie = workbench.accounts.sign_in(name, password)
    except NotSignedInError:
        workbench.audit.record("", "failed to sign in")
        raise
    workbench.audit.record(name, "signed in")
    return cookie


def set_cookie(request: Request, response: Response, cookie: str) -> None:
    """Give the browser its session, which it forgets when it is closed."""
    secure = workbench_of(request).settings.secure
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=secure)


def _found(request: Request) -> User | None:
    workbench = workbench_of(request)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind:
        return workbench.accounts.of_token(token.strip()) if kind.lower() == "bearer" else None
    if (proxy := workbench.settings.trusted_proxy) and request.client and request.client.host == proxy:
        names = request.headers.getlist(PROXY_HEADER)  # two: the proxy has added its own to that of whoever asks
        name = names[0] if len(names) == 1 else ""
        return workbench.accounts.of_proxy(name) if name.isprintable() and name else None
    if cookie := request.cookies.get(COOKIE):
        return workbench.accounts.of_cookie(cookie)
    return None


async def _refuse_forged(request: Request, user: User) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if not hmac.compare_digest((given or "").encode(), user.csrf.encode()):
        raise ForbiddenError(f"the token of the session is missing: field {CSRF_FIELD}, or header {CSRF_HEADER}")
