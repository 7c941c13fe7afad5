"""Health: without signing in whether it works, with it the figures, and neither names anybody."""

from fastapi.testclient import TestClient


def test_health_and_figures(client: TestClient, submit, tables) -> None:
    submit(tables.csv)
    assert client.get("/health").json() == {"status": "ok"}
    found = client.get("/metrics").text.splitlines()
    assert 'hepatica_jobs{kind="predict",state="waiting"} 1' in found
    counted = {line.split()[0]: float(line.split()[1]) for line in found if not line.startswith("#")}
    assert counted['hepatica_requests_total{status="201"}'] == 2
    assert counted["hepatica_requests_seconds_total"] > 0
    client.cookies.clear()
    assert client.get("/metrics").status_code == 401
