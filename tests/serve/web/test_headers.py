"""Headers: every answer forbids what is loaded from elsewhere; a report has its own style alone."""

import base64
import hashlib

from fastapi.testclient import TestClient

from hepatica.serve.web.headers import HEADERS, page_policy


def test_every_answer_has_them(client: TestClient) -> None:
    for path in ("/health", "/nowhere", "/api/v1/cases", "/enter?token=no", "/api/v1/openapi.json"):
        found = client.get(path).headers
        assert {name: found[name] for name in HEADERS} == HEADERS
        assert "server" not in found
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_a_report_has_its_own_style_alone() -> None:
    page = "<style>body { color: red }</style><p onclick='x()'><style>\na {}\n</style><script>x()</script>"
    policy = page_policy(page)
    for style in ("body { color: red }", "\na {}\n"):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("sandbox")
    assert "script" not in policy
    assert "style-src 'none'" in page_policy("<p>")
