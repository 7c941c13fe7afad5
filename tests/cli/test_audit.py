import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from hepatica.cli.audit import audit

app = typer.Typer()
app.command()(audit)

PUBLISHED = Path(__file__).parents[1] / "evaluate" / "audit" / "published"


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_one_json_list_and_nothing_else() -> None:
    found = json.loads(run(PUBLISHED / "wang_2021_table_5.csv", "--json"))
    assert len(found) == 6
    assert all(each["contradictions"] and each["repairs"] for each in found)
    assert found[0]["repaired"]["tables"] == [{"tp": 44, "fp": 3, "fn": 10, "tn": 38}]


def test_in_words() -> None:
    shown = run(PUBLISHED / "wang_2021_table_5.csv")
    assert "radiologist 1, internal: inconsistent" in shown
    assert "= then TP 44, FP 3, FN 10, TN 38, n 95" in shown
    shown = run(PUBLISHED / "li_2025_table_4.csv")
    assert "age: no inconsistency" in shown
    assert "? recurrence: 3 for 13" in shown


def test_most_bounds_the_search() -> None:
    assert "n 57\n" in run(PUBLISHED / "li_2025_table_3.csv", "--most", "113")
    assert "no counts of up to 56 patients" in run(PUBLISHED / "li_2025_table_3.csv", "--most", "56")


def test_help_teaches_the_file() -> None:
    shown = run("--help")
    assert "characteristic" in shown
    assert "--most" in shown
