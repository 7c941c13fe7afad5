"""Api: whatever is sent, the answer is documented, and no fault of ours."""

from collections.abc import Iterator

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from requests import Request
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from hepatica.serve.accounts import User
from hepatica.serve.application import create
from hepatica.serve.settings import Settings

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = 12


@pytest.fixture(scope="module")
def browser(tables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A workbench whose tokens never run out of tries, with a program of an admin."""
    data = tmp_path_factory.mktemp("api") / "data"
    app = create(Settings(data=data, runs=tables.runs, cohorts=tables.cohorts))
    for each in app.state.attempts.values():
        each.most = 10**6
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as found:
        admin = User(name="local", role="admin")
        _, token, _ = app.state.workbench.accounts.issue(admin, label="test", role="admin", days=1)
        found.headers["authorization"] = f"Bearer {token}"
        yield found


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_has_an_undocumented_answer(browser: TestClient, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(browser.get("/api/v1/openapi.json").json())
    operations = [each.ok() for each in schema.get_all_operations()]
    assert len(operations) > 30
    for operation in operations:
        _try(operation.as_strategy(generation_mode=mode), browser)


def _try(strategy, browser: TestClient) -> None:
    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def answered(case: Case) -> None:
        sent = Request(**case.as_transport_kwargs(base_url="http://127.0.0.1")).prepare()
        sent.headers["authorization"] = browser.headers["authorization"]
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body
        response = browser.request(sent.method, sent.url, headers=dict(sent.headers), content=body)
        case.validate_response(response, checks=CHECKS)

    answered()
