"""Api: whatever is sent, the answer is documented, and no fault of ours."""

from collections.abc import Iterator

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from requests import Request
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from hepatica.runs.workers import work
from hepatica.serve import work as kinds
from hepatica.serve.accounts import User
from hepatica.serve.application import create
from hepatica.serve.settings import ENVIRONMENT, Settings

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = 6
"""Of each request, of each mode."""


@pytest.fixture(scope="module")
def browser(tables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A workbench with one case that is done, asked by a program of an admin, who may try any number of passwords."""
    data = tmp_path_factory.mktemp("api") / "data"
    own = Settings(data=data, runs=tables.runs, cohorts=tables.cohorts)
    app = create(own)
    for each in app.state.attempts.values():
        each.most = 10**6
    with (
        TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as found,
        pytest.MonkeyPatch.context() as patch,
    ):
        admin = User(name="local", role="admin")
        _, token, _ = app.state.workbench.accounts.issue(admin, label="test", role="admin", days=1)
        found.headers["authorization"] = f"Bearer {token}"
        form = {"data": {"run": "one"}, "files": {"file": ("a.csv", tables.csv)}}
        found.case_id = found.post("/api/v1/cases/file", **form).json()["case_id"]
        patch.setenv(ENVIRONMENT, "")
        own.to_environment()
        work(app.state.workbench.jobs, kinds.KINDS, worker="test")
        yield found


@pytest.fixture(scope="module")
def schema(browser: TestClient) -> schemathesis.BaseSchema:
    found: schemathesis.BaseSchema = schemathesis.openapi.from_dict(browser.get("/api/v1/openapi.json").json())
    return found


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_has_an_undocumented_answer(
    browser: TestClient, schema: schemathesis.BaseSchema, mode: GenerationMode
) -> None:
    operations = [each.ok() for each in schema.get_all_operations()]
    assert len(operations) > 35
    tried = [_try(each.as_strategy(generation_mode=mode), browser) for each in operations]
    assert sum(tried) > 0.7 * len(operations)


def _try(strategy: SearchStrategy[Case], browser: TestClient) -> bool:
    """Whether there was a request of this kind: what takes nothing cannot be asked wrongly."""

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

    try:
        answered()
    except Unsatisfiable:
        return False
    return True


def test_answers_about_what_is_there_are_as_documented(browser: TestClient, schema: schemathesis.BaseSchema) -> None:
    real = {"case_id": browser.case_id, "key": browser.case_id, "name": "one"}
    pictures = browser.get(f"/api/v1/cases/{browser.case_id}/pictures").json()
    found = {}
    for each in schema.get_all_operations():
        operation = each.ok()
        if operation.method != "get" or "upload_id" in operation.path:
            continue
        named = real | ({"name": pictures[0]} if "pictures/" in operation.path else {})
        named |= {"name": "albi"} if "scores" in operation.path else {}
        path = operation.path.format(**named)
        query = {"a": "one", "b": "two"} if path.endswith("compare") else {}
        response = browser.get(path, params=query)
        operation.Case(path_parameters=named, query=query).validate_response(response, checks=CHECKS)
        found[operation.path] = response.status_code
    missing = {path for path, status in found.items() if status != 200}
    assert missing == {
        "/api/v1/cases/{case_id}/overlay.geojson",
        "/api/v1/cases/{case_id}/dicom.zip",
        "/api/v1/runs/{name}/report.html",
    }
    assert len(found) > 20
