"""Workbench: opened again it is the same, and what it keeps secret is its own."""

from pathlib import Path

from hepatica.serve.settings import Settings
from hepatica.serve.workbench import open_workbench


def test_it_is_the_same_when_it_is_opened_again(settings: Settings, tables, tmp_path: Path) -> None:
    first = open_workbench(settings)
    (tmp_path / "a.csv").write_bytes(tables.csv)
    case = first.cases.submit(tmp_path / "a.csv", run="one")
    first.accounts.set_user("anna", role="reader")
    first.database.close()
    again = open_workbench(settings)
    assert again.cases.all() == [case]
    assert again.accounts.of_proxy("anna").csrf == first.accounts.of_proxy("anna").csrf
    assert again.accounts.of_proxy("anna").csrf != again.accounts.of_proxy("local").csrf
    for each in (first, again):
        each.database.close()
    secret = settings.data / "secret"
    assert (len(secret.read_bytes()), secret.stat().st_mode & 0o777) == (32, 0o600)
    assert settings.data.stat().st_mode & 0o777 == 0o700
