import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from hepatica.cli.readers import readers

app = typer.Typer()
app.command()(readers)


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False, env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    """40 cases, three readers in two arms and a machine, who see the truth through noise."""
    rng = np.random.default_rng(0)
    truth = np.arange(40) % 2
    who = [(name, arm) for arm in ("without", "with") for name in ("R1", "R2", "R3")] + [("AI", "")]
    rows = [
        (f"c{case}", name, truth[case], round(truth[case] + rng.normal(0, 0.6), 2), arm)
        for name, arm in who
        for case in range(40)
    ]
    table = pd.DataFrame(rows, columns=["case", "reader", "truth", "sureness", "arm"])
    table["call"] = (table["sureness"] > 0.5).astype(int)
    path = tmp_path / "readings.csv"
    table.to_csv(path, index=False)
    return path


def test_one_json_object_and_nothing_else(readings: Path) -> None:
    found = json.loads(run(readings, "--arm", "arm", "--machine", "AI", "--score", "sureness", "--json"))
    assert list(found) == ["arms", "machine", "aided", "by_advice", "new_cases"]
    alone = found["arms"]["without"]
    assert list(alone["per_reader"]) == ["R1", "R2", "R3"]
    assert alone["average"]["auroc"]["low"] < alone["average"]["auroc"]["value"]
    assert set(found["aided"]) == {"over_readers_and_cases", "t_p", "mcnemar_p"}
    assert 0 < alone["agreement"]["p"] < 1


def test_advice_is_a_table_of_its_own(readings: Path) -> None:
    table = pd.read_csv(readings)
    table.assign(shown=(table["case"] > "c2").astype(int)).to_csv(readings, index=False)
    shown = run(readings, "--arm", "arm", "--machine", "AI", "--advice", "shown")
    assert "Right calls, by the answer of the AI" in shown
    found = json.loads(run(readings, "--arm", "arm", "--machine", "AI", "--advice", "shown", "--json"))["by_advice"]
    assert sum(each["readings"] for each in found.values()) == 3 * 40


def test_without_json_tables(readings: Path) -> None:
    shown = run(readings, "--arm", "arm", "--machine", "AI")
    for wanted in ("sensitivity", "R3", "average", "minus AI", "Fleiss", "with minus without", "t over readers"):
        assert wanted in shown


def test_help_teaches_the_file(readings: Path) -> None:
    shown = run("--help")
    assert "one row per reading" in shown
    assert "--machine" in shown


def test_nothing_is_cut_at_80_columns(readings: Path) -> None:
    """Two arms, three readers and an AI; ... would be the mark of a cell that did not fit."""
    shown = run(readings, "--arm", "arm", "--machine", "AI", "--score", "sureness")
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "McNemar's exact P" in shown
    assert " to " in next(line for line in shown.splitlines() if "average" in line)


def test_a_row_a_case_will_do(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("case,truth,R1,R2,AI\n" + "\n".join(f"c{n},{n % 2},{n % 2},{n % 3 % 2},1" for n in range(12)))
    found = json.loads(run(path, "--machine", "AI", "--json"))
    assert found["arms"]["all readings"]["per_reader"]["R1"]["accuracy"]["value"] == 1
    assert found["machine"]["sensitivity"]["value"] == 1
