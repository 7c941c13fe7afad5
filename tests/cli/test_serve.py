"""Serve: users are added on the command line, and what is unsafe does not start."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hepatica.cli import app
from hepatica.cohort.errors import SettingsError
from hepatica.serve.settings import Settings
from hepatica.serve.workbench import open_workbench


def test_users_are_added_and_closed(tmp_path: Path) -> None:
    words = ["users", "anna", "--role", "operator", "--data", str(tmp_path)]
    secret = "correct horse battery\n"
    done = CliRunner().invoke(app, words, input=secret * 2)
    assert done.exit_code == 0, done.output
    assert "correct" not in done.output
    assert done.output.endswith("anna: operator\n")
    bench = open_workbench(Settings(data=tmp_path, runs=tmp_path, users=True))
    assert bench.accounts.of_cookie(bench.accounts.sign_in("anna", secret.strip())).role == "operator"
    assert CliRunner().invoke(app, [*words, "--no-password", "--closed"]).output == "anna: operator, closed\n"
    assert bench.accounts.of_proxy("anna") is None
    bench.database.close()


def test_what_is_unsafe_does_not_start(tmp_path: Path) -> None:
    words = ["serve", "--runs", str(tmp_path), "--data", str(tmp_path / "data")]
    for unsafe in (["--host", "0.0.0.0"], ["--database", "mysql://x"]):
        with pytest.raises(SettingsError):
            CliRunner().invoke(app, [*words, *unsafe], catch_exceptions=False)
    assert not (tmp_path / "data").exists()
