"""Quantify: what the user types reaches the quantification, and what is not to be overlooked is said."""

from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner, Result

from hepatica.cli.quantify import quantify
from hepatica.cohort import SettingsError, SpecimenError
from hepatica.spectroscopy.phantom import phantom_spectra
from hepatica.spectroscopy.reading.nifti_mrs import read_nifti_mrs, write_nifti_mrs
from hepatica.spectroscopy.signal.header import Header

APP = typer.Typer()
APP.command()(quantify)


@pytest.fixture(scope="module")
def spectra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of two phantom patients."""
    return phantom_spectra(tmp_path_factory.mktemp("phantom") / "cohort", patients=2, seed=3) / "spectra"


def invoke(*words: object) -> Result:
    return CliRunner().invoke(APP, [str(word) for word in words], catch_exceptions=False)


def test_a_file_becomes_tables_and_a_page(spectra: Path, tmp_path: Path) -> None:
    water = spectra / "0001_water.nii.gz"
    done = invoke(spectra / "0001.nii.gz", "--water", water, "--method", "map", "--out", tmp_path / "out")
    assert done.exit_code == 0
    table = pd.read_csv(tmp_path / "out" / "quantities.csv")
    assert f"1 of 1 spectra, {table['value'].notna().sum()} of 25 values reported" in done.stdout
    assert "hepatica quantify: map" in (tmp_path / "out" / "report.html").read_text()
    assert set(table["unit"]) == {"mM"}
    assert done.stderr.startswith("spectrum 1: ")
    assert "transients differed from the others" in done.stderr


def test_what_the_user_knows_better_counts(spectra: Path, tmp_path: Path) -> None:
    """Where half of the voxel is fat, there is half the water, and half the concentration."""
    pair = (spectra / "0001.nii.gz", "--water", spectra / "0001_water.nii.gz")
    invoke(*pair, "--out", tmp_path / "lean")
    invoke(*pair, "--pdff", 0.5, "--out", tmp_path / "fat")
    lean, fat = (pd.read_csv(tmp_path / name / "quantities.csv")["value"] for name in ("lean", "fat"))
    assert (fat / lean).dropna().to_numpy() == pytest.approx(0.5)
    for words, name in (
        (("--te", 0.035), "te_ms = 35, if so"),
        (("--tr", 2), "tr_ms = 2000, if so"),
        (("--f0", 127.74e6), r"f0_mhz = 127\.74, if so"),
        (("--bandwidth", 2), "bandwidth_hz = 2000, if so"),
        (("--reference", 100), "give reference_ppm"),
    ):
        with pytest.raises(SpecimenError, match=name):
            invoke(spectra / "0001.nii.gz", *words, "--out", tmp_path / "out")


def test_what_was_not_used_and_what_was_noticed_is_said(spectra: Path, tmp_path: Path) -> None:
    raw = read_nifti_mrs(spectra / "0001.nii.gz", header_overrides=Header(f0_mhz=200.0))
    write_nifti_mrs(tmp_path / "field.nii.gz", fids=raw.fids, acquisition=raw.acquisition)
    (tmp_path / "Miller.rda").write_bytes(b"")
    paths = (tmp_path / "Miller.rda", tmp_path / "field.nii.gz", spectra / "0002.nii.gz")
    done = invoke(*paths, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "2 of 3 spectra" in done.stdout
    assert "spectrum 1: not used: the file has no RDA header" in done.stderr
    (flags,) = [line for line in done.stderr.splitlines() if line.startswith("spectrum 2")]
    assert "the model does not describe the spectrum" in flags
    assert "the model does not" not in next(each for each in done.stderr.splitlines() if each.startswith("spectrum 3"))
    assert "Miller" not in done.output


def test_mistakes_are_told(spectra: Path, tmp_path: Path) -> None:
    path, out = spectra / "0001.nii.gz", tmp_path / "out"
    with pytest.raises(SettingsError, match="qcnn needs a run"):
        invoke(path, "--method", "qcnn", "--out", out)
    (tmp_path / "a.mat").touch()
    with pytest.raises(SettingsError, match="wanted one of"):
        invoke(path, "--basis", tmp_path / "a.mat", "--out", out)
    assert invoke(path, "--method", "guess", "--out", out).exit_code == 2
    assert invoke(tmp_path / "missing.rda", "--out", out).exit_code == 2
    assert not out.exists()


def test_a_brain_is_asked_for(real_spectra: Path, tmp_path: Path) -> None:
    invoke(real_spectra / "siemens/SVS_30.rda", "--brain", "--out", tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "quantities.csv").set_index("target")
    assert table.loc["tNAA", "value"] > table.loc["tCr", "value"]
