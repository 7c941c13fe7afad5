"""Assets: what npm brings is copied whole or not at all, and nothing outside static/ is handed out."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from hepatica.cohort.errors import UnavailableError
from hepatica.serve.pages import assets


def test_what_is_missing_is_named_and_nothing_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "VENDOR", tmp_path / "vendor")
    with pytest.raises(UnavailableError, match=r"lacks htmx\.org/dist/htmx\.min\.js.*npm ci"):
        assets.copy(tmp_path)
    assert not (tmp_path / "vendor").exists()
    assert assets.missing(["htmx.min.js"]) == ["htmx.min.js"]


def test_all_are_copied_and_what_was_there_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "VENDOR", tmp_path / "vendor")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "old.js").touch()
    for source in assets.COPIED.values():
        path = tmp_path / "modules" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    assets.copy(tmp_path / "modules")
    assert assets.missing(assets.COPIED) == []
    assert (tmp_path / "vendor" / "uPlot.min.css").read_text() == "uplot/dist/uPlot.min.css"
    assert not (tmp_path / "vendor" / "old.js").exists()


def test_a_page_says_what_is_missing(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    text = client.get("/scores").text
    assert "This installation lacks htmx.min.js" in text
    assert 'src="/static/vendor/htmx.min.js"' not in text


@pytest.mark.parametrize(
    "name", ["../rendering.py", "%2e%2e/rendering.py", "..%2f..%2fsettings.py", "no.js", "a%00b", ""]
)
def test_nothing_else_is_handed_out(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_our_own_files_are(client: TestClient) -> None:
    answer = client.get("/static/workbench.css")
    assert answer.status_code == 200
    assert "no-cache" in answer.headers["cache-control"]
