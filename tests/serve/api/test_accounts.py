"""Accounts: who is not signed in sees nothing, and each role may what it may and no more."""

import time
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from hepatica.cohort.errors import SettingsError
from hepatica.serve.database import SessionRow, TokenRow
from hepatica.serve.settings import Settings

PASSWORD = "correct horse battery"


@pytest.fixture
def hospital(settings: Settings, browse) -> TestClient:
    """A workbench with a user of each role."""
    found = browse(replace(settings, users=True, trusted_proxy="10.0.0.9"))
    for role in ("viewer", "reader", "operator", "admin"):
        found.app.state.workbench.accounts.set_user(role, role=role, password=PASSWORD)
    return found


def sign_in(client: TestClient, name: str, password: str = PASSWORD) -> int:
    answer = client.post("/api/v1/session", json={"name": name, "password": password})
    client.headers["x-csrf-token"] = answer.json().get("csrf", "")
    return answer.status_code


def test_the_printed_link_signs_in_once(settings: Settings, browse) -> None:
    client = browse(settings)
    assert client.get("/api/v1/session").json()["role"] == "admin"
    cookie = next(iter(client.cookies.jar))
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "strict"
    invitation = client.app.state.workbench.accounts.invite()
    client.cookies.clear()
    assert client.get("/enter", params={"token": "no"}).status_code == 401
    assert client.get("/enter", params={"token": invitation}).status_code == 303
    client.cookies.clear()
    assert client.get("/enter", params={"token": invitation}).status_code == 401
    assert client.get("/api/v1/session").status_code == 401


def test_without_signing_in_only_health_is_answered(hospital: TestClient) -> None:
    paths = hospital.app.openapi()["paths"]
    asked = [
        (method, path.format(case_id="0" * 32, key="0" * 32, upload_id="0" * 32, token_id="0" * 32, name="a"))
        for path, methods in paths.items()
        for method in methods
    ]
    assert len(asked) > 35
    open_ones = [each for each in asked if hospital.request(each[0], each[1]).status_code not in (401, 422)]
    assert open_ones == [("get", "/health")]
    assert hospital.post("/api/v1/session", json={"name": "admin", "password": "wrong"}).status_code == 401


ASKED = {
    "viewer": ("get", "/api/v1/cases"),
    "reader": ("get", f"/api/v1/uploads/{'0' * 32}"),
    "operator": ("delete", f"/api/v1/cases/{'0' * 32}"),
    "admin": ("get", "/api/v1/users"),
}


def test_each_role_may_what_the_lower_ones_may(hospital: TestClient) -> None:
    for number, role in enumerate(ASKED):
        assert sign_in(hospital, role) == 200
        allowed = [hospital.request(*each).status_code != 403 for each in ASKED.values()]
        assert allowed == [place <= number for place in range(4)]


def test_a_form_of_another_site_is_refused(hospital: TestClient) -> None:
    sign_in(hospital, "admin")
    body = {"role": "viewer", "password": PASSWORD}
    for forged in ("", "wrong"):
        hospital.headers["x-csrf-token"] = forged
        assert hospital.put("/api/v1/users/eve", json=body).status_code == 403
    del hospital.headers["x-csrf-token"]
    assert hospital.put("/api/v1/users/eve", json=body).status_code == 403
    assert [each["name"] for each in hospital.get("/api/v1/users").json()] == ["admin", "operator", "reader", "viewer"]


def test_passwords_cannot_be_tried_for_ever(hospital: TestClient) -> None:
    found = [sign_in(hospital, "admin", "wrong") for _ in range(12)]
    assert found == [401] * 10 + [429] * 2
    assert sign_in(hospital, "admin") == 429
    lines = [each.action for each in hospital.app.state.workbench.audit.entries()]
    assert lines.count("failed to sign in") == 10


def test_an_unknown_and_a_closed_user_are_answered_alike(hospital: TestClient) -> None:
    hospital.app.state.workbench.accounts.set_user("reader", role="reader", active=False)
    messages = {
        hospital.post("/api/v1/session", json={"name": name, "password": PASSWORD}).text for name in ("eve", "reader")
    }
    assert len(messages) == 1


def test_sessions_and_tokens_end(hospital: TestClient) -> None:
    sign_in(hospital, "reader")
    made = hospital.post("/api/v1/tokens", json={"label": "pacs", "days": 1}).json()
    accounts = hospital.app.state.workbench.accounts
    program = {"authorization": f"Bearer {made['token']}"}
    assert hospital.get("/api/v1/session", headers=program).json() == {"name": "reader", "role": "reader", "csrf": ""}
    assert hospital.post("/api/v1/tokens", json={"label": "x", "role": "admin"}).status_code == 403
    assert [each["token"] for each in hospital.get("/api/v1/tokens").json()] == [""]
    with accounts.database.session() as session:
        assert made["token"] not in str([vars(each) for each in accounts.tokens(accounts.of_token(made["token"]))])
        session.execute(update(SessionRow).values(until=time.time() - 1))
        session.execute(update(TokenRow).values(until=time.time() - 1))
    assert hospital.get("/api/v1/session").status_code == 401
    assert hospital.get("/api/v1/session", headers=program).status_code == 401


def test_a_session_that_is_used_goes_on(hospital: TestClient) -> None:
    sign_in(hospital, "reader")
    accounts, soon = hospital.app.state.workbench.accounts, time.time() + 60
    with accounts.database.session() as session:
        session.execute(update(SessionRow).values(until=soon))
    assert hospital.get("/api/v1/session").status_code == 200
    with accounts.database.session() as session:
        assert session.scalars(select(SessionRow.until)).one() > soon + 3600


def test_a_token_is_revoked_by_its_owner_and_follows_their_role(hospital: TestClient) -> None:
    sign_in(hospital, "operator")
    made = hospital.post("/api/v1/tokens", json={"label": "x", "role": "operator"}).json()
    program = {"authorization": f"Bearer {made['token']}"}
    accounts = hospital.app.state.workbench.accounts
    accounts.set_user("operator", role="viewer")
    assert hospital.get("/api/v1/session", headers=program).json()["role"] == "viewer"
    sign_in(hospital, "admin")
    assert hospital.delete(f"/api/v1/tokens/{made['token_id']}").status_code == 404
    sign_in(hospital, "operator")
    assert hospital.delete(f"/api/v1/tokens/{made['token_id']}").status_code == 204
    assert hospital.get("/api/v1/session", headers=program).status_code == 401


def test_signing_out_ends_the_session(hospital: TestClient) -> None:
    sign_in(hospital, "reader")
    cookie = hospital.cookies["hepatica_session"]
    assert hospital.delete("/api/v1/session").status_code == 204
    hospital.cookies.set("hepatica_session", cookie)
    assert hospital.get("/api/v1/session").status_code == 401


def test_only_the_trusted_proxy_says_who_somebody_is(hospital: TestClient) -> None:
    named = {"x-forwarded-user": "admin"}
    assert hospital.get("/api/v1/users", headers=named).status_code == 401
    proxied = TestClient(hospital.app, base_url="http://127.0.0.1", client=("10.0.0.9", 1))
    assert proxied.get("/api/v1/users", headers=named).status_code == 200
    assert proxied.get("/api/v1/users", headers={"x-forwarded-user": "nobody"}).status_code == 401
    assert proxied.get("/api/v1/users").status_code == 401
    assert proxied.get("/api/v1/users", headers=[*named.items(), ("x-forwarded-user", "viewer")]).status_code == 401
    body = {"role": "viewer"}
    assert proxied.put("/api/v1/users/eve", json=body, headers=named).status_code == 403
    csrf = proxied.get("/api/v1/session", headers=named).json()["csrf"]
    assert proxied.put("/api/v1/users/eve", json=body, headers=named | {"x-csrf-token": csrf}).status_code == 200


def test_the_single_user_of_before_is_no_user_among_others(settings: Settings, browse) -> None:
    alone = browse(settings)
    token = alone.post("/api/v1/tokens", json={"label": "x", "role": "admin"}).json()["token"]
    cookie = alone.cookies["hepatica_session"]
    shared = browse(replace(settings, users=True, trusted_proxy="10.0.0.9"))
    shared.cookies.set("hepatica_session", cookie)
    assert shared.get("/api/v1/session").status_code == 401
    assert shared.get("/api/v1/session", headers={"authorization": f"Bearer {token}"}).status_code == 401
    proxied = TestClient(shared.app, base_url="http://127.0.0.1", client=("10.0.0.9", 1))
    assert proxied.get("/api/v1/session", headers={"x-forwarded-user": "local"}).status_code == 401
    assert alone.get("/api/v1/session").status_code == 200
    with pytest.raises(SettingsError, match="'local'"):
        shared.app.state.workbench.accounts.set_user("local", role="viewer")


def test_users_are_changed_by_an_admin_who_stays_one(hospital: TestClient) -> None:
    sign_in(hospital, "admin")
    assert hospital.put("/api/v1/users/eve", json={"role": "viewer", "password": "short"}).status_code == 422
    assert hospital.put("/api/v1/users/admin", json={"role": "viewer"}).status_code == 403
    assert hospital.put("/api/v1/users/eve", json={"role": "viewer", "password": PASSWORD}).status_code == 200
    lines = hospital.get("/api/v1/audit", params={"subject": "eve"}).json()
    assert [(each["user"], each["action"]) for each in lines] == [("admin", "changed user")]
    assert sign_in(hospital, "eve") == 200


def test_another_name_of_the_host_is_refused(settings: Settings, browse) -> None:
    client = browse(settings)
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/health", headers={"host": "localhost:8750"}).status_code == 200
