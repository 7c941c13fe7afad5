"""Phantom: the commands that draw lesions into a real scan and write spectra say what they wrote."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hepatica.cli.phantom import app
from hepatica.cohort import load_cohort
from hepatica.cohort.errors import SettingsError
from hepatica.radiology.phantom import PhantomSettings, phantom_ct


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = PhantomSettings(matrix=96, slices=12)
    return phantom_ct(tmp_path_factory.mktemp("phantom") / "a", patients=1, settings=settings)


def call(cohort: Path, folder: Path, *words: object) -> str:
    study, mask = cohort / "studies" / "0001.zip", cohort / "masks" / "0001.nii.gz"
    words = ("lesions", study, folder, "--liver-mask", mask, "--series", 2, "--phase", "arterial", *words)
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_lesions_go_into_a_scan(cohort: Path, tmp_path: Path) -> None:
    said = call(cohort, tmp_path / "new", "--kind", "cyst", "--diameter-cm", 3, "--diameter-cm", 2)
    assert str(tmp_path / "new") in said.replace("\n", "")
    assert len(list((tmp_path / "new" / "dicom").iterdir())) == 12
    assert (tmp_path / "new" / "mask.nii.gz").is_file()


def test_an_unknown_kind_is_refused_with_the_known_ones(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="hcc, cholangiocarcinoma"):
        call(cohort, tmp_path / "new", "--kind", "hepatoblastoma")


def test_spectra_are_written(tmp_path: Path) -> None:
    words = ["spectra", str(tmp_path / "new"), "--patients", "1", "--hospital", "B", "--difficulty", "0"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "new") in result.stdout.replace("\n", "")
    assert load_cohort(tmp_path / "new").hospital == "B"


def test_tables_are_written_of_a_population(tmp_path: Path) -> None:
    words = ["tables", str(tmp_path / "new"), "--patients", "8", "--population", "resected"]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    assert "recurrence_months" in (tmp_path / "new" / "patients.csv").read_text().splitlines()[0]
    assert (tmp_path / "new" / "visits.csv").is_file()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [(("--with", "mri"), "slides, multiphoton, ct, mr, ultrasound or spectra"), (("--population", "x"), "resected")],
)
def test_an_unknown_instrument_or_population_is_refused(tmp_path: Path, words: tuple[str, str], wanted: str) -> None:
    with pytest.raises(SettingsError, match=wanted):
        CliRunner().invoke(app, ["spectra", str(tmp_path / "new"), *words], catch_exceptions=False)
