import json
import os
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from hepatica.cli.scores import scores
from hepatica.cohort.errors import CohortError, EvaluationError, SettingsError

app = typer.Typer()
app.command()(scores)

TABLE = "id;Age;sex;Plt;albumin_g_l;note\nP1;67;male;99;34,5;None\nP2;30;female;?;42;\nP3;50;male;150;38;x\n"
UNITS = 'missing = ["?"]\n[age]\ncolumn = "Age"\nunit = "years"\n[platelets]\ncolumn = "Plt"\nunit = "10^9/L"\n'


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    table, units = tmp_path / "patients.csv", tmp_path / "units.toml"
    table.write_text(TABLE, encoding="utf-8")
    units.write_text(UNITS, encoding="utf-8")
    return table, units


def test_columns_are_added_to_the_table(files: tuple[Path, Path]) -> None:
    table, units = files
    shown = run(table, "--units", units)
    assert "page_b: 2 of 3 rows; low 0, intermediate 0, high 2" in shown
    assert "mpage_b: 2 of 3 rows" in shown
    found = pd.read_csv(table.with_name("patients_scores.csv"), keep_default_na=False)
    assert list(found.columns)[:6] == ["id", "Age", "sex", "Plt", "albumin_g_l", "note"]
    assert found["page_b"].tolist() == ["23.0", "", "18.0"]
    assert found["page_b_band"].tolist() == ["high", "", "high"]
    assert found["note"].tolist() == ["None", "", "x"]


def test_only_some(files: tuple[Path, Path], tmp_path: Path) -> None:
    table, units = files
    run(table, "--units", units, "--only", "mpage_b", "--out", tmp_path / "out.csv")
    assert "page_b" not in pd.read_csv(tmp_path / "out.csv").columns
    with pytest.raises(SettingsError, match="did you mean page_b"):
        run(table, "--only", "pageb")


def test_a_column_without_unit_is_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(CohortError, match=r"patients.csv has columns without unit, wanted one for Age"):
        run(files[0])


def test_rows_are_those_of_the_spreadsheet(files: tuple[Path, Path]) -> None:
    table, units = files
    table.write_text(TABLE.replace("P3;50", "P3;500"), encoding="utf-8")
    with pytest.raises(CohortError, match=r"row 4 column Age: got '500', wanted age of 0 to 120 years"):
        run(table, "--units", units)


def test_a_column_is_not_overwritten(files: tuple[Path, Path]) -> None:
    table, units = files
    table.write_text(TABLE.replace("note", "page_b"), encoding="utf-8")
    with pytest.raises(CohortError, match="has page_b already"):
        run(table, "--units", units)


def test_units_that_are_no_toml_are_refused(files: tuple[Path, Path]) -> None:
    files[1].write_text("[platelets\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"units.toml is not readable TOML"):
        run(files[0], "--units", files[1])


def test_the_list_marks_what_is_unconfirmed() -> None:
    shown = run()
    assert "malbi" in shown
    assert shown.count("unconfirmed") == 4
    found = {each["name"]: each for each in json.loads(run("--json", "--only", "page_b,malbi"))}
    assert found["page_b"]["inputs"] == ["age_years", "sex", "platelets_10e9_l"]
    assert found["page_b"]["confirmed"]
    assert not found["malbi"]["confirmed"]
    assert found["page_b"]["check"] == "hepatica scores --check --only page_b"


def test_the_check_of_a_score() -> None:
    assert "page_b: 23 of 23 met, vectors.toml" in run("--check", "--only", "page_b")


def test_a_check_that_fails_says_what(tmp_path: Path) -> None:
    (tmp_path / "meld3_kim2021_table4.csv").write_text(
        "female,bilirubin_mg_dl,sodium_mmol_l,inr,creatinine_mg_dl,albumin_g_dl,meld3_rounded\n0,2.5,131,1,1.2,3.8,17\n"
    )
    with pytest.raises(EvaluationError, match="got meld_3 unlike the published results"):
        run("--check", "--only", "meld_3", "--data", tmp_path)


def test_the_two_units_of_a_public_file_are_caught(tmp_path: Path) -> None:
    path = Path(os.environ.get("HEPATICA_DATA", ""), "clinical", "uci_hcc_165.csv")
    if "HEPATICA_DATA" not in os.environ or not path.is_file():
        pytest.skip("HEPATICA_DATA is not set: the UCI table is not here")
    (tmp_path / "units.toml").write_text(UNITS.replace("Plt", "Platelets") + '[sex]\ncolumn = "Gender"\n')
    with pytest.raises(CohortError, match="115 of 162 values look like /µL"):
        run(path, "--units", tmp_path / "units.toml", "--only", "page_b", "--out", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
