"""Settings: what is unsafe is refused, and workers get what the server was given."""

from pathlib import Path

import pytest

from hepatica.cohort.errors import SettingsError
from hepatica.serve.settings import ENVIRONMENT, Settings, of_environment


def test_the_processes_of_workers_have_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    with pytest.raises(SettingsError, match="start workers by hepatica serve"):
        of_environment()
    monkeypatch.setenv(ENVIRONMENT, "")
    for given in ({}, {"cohorts": tmp_path, "names": ("a.b",), "retention_days": 3.5, "database": "postgresql://x/y"}):
        settings = Settings(data=tmp_path / "data", runs=tmp_path, **given)
        settings.to_environment()
        assert of_environment() == settings


def test_what_is_unsafe_is_refused(tmp_path: Path) -> None:
    common = {"data": tmp_path, "runs": tmp_path}
    with pytest.raises(SettingsError, match="others need --users"):
        Settings(**common, host="0.0.0.0")
    with pytest.raises(SettingsError, match="got the database mysql://"):
        Settings(**common, database="mysql://root:secret@x")
    assert Settings(**common, host="0.0.0.0", users=True).hosts == ()
    assert "127.0.0.1" in Settings(**common).hosts
    assert Settings(**common, users=True, names=("a.b",)).hosts[-1] == "a.b"
    assert Settings(**common).where == tmp_path / "workbench.sqlite"
    assert Settings(**common, database="postgresql://x").where == "postgresql://x"
