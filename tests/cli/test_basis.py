"""Basis: simulated, converted and shown from the command line."""

import pytest
from typer.testing import CliRunner

from hepatica.cli.basis import app
from hepatica.cohort.errors import HepaticaError, SettingsError
from hepatica.spectroscopy.basis.basis_file import read_basis

RUN = CliRunner()


def invoke(*words):
    return RUN.invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_a_basis_is_written_converted_and_shown(tmp_path):
    one, other, picture = tmp_path / "a.basis", tmp_path / "b.nii.gz", tmp_path / "c.png"
    assert "basis of 20 components" in invoke("write", one, "--te", 30, "--points", 256).stdout
    assert invoke("convert", one, other, "--align").exit_code == 0
    shown = invoke("show", other, "--picture", picture).stdout
    assert "press, TE 30 ms, 127.74 MHz, 256 points at 2000 Hz, receiver at 4.65" in shown
    assert "Lip13    first sample      65.98   65.98 protons" in shown
    assert picture.stat().st_size > 10_000


def test_choices_reach_the_simulation(tmp_path):
    path = tmp_path / "a.nii"
    words = ("--sequence", "steam", "--te", 20, "--tm", 15, "--f0", 123.2, "--bandwidth", 1200, "--points", 64)
    invoke("write", path, *words, "--component", "Lac", "--component", "Gly")
    basis = read_basis(path)
    told = basis.acquisition
    assert basis.names == ("Lac", "Gly")
    assert (told.sequence, told.te_ms, told.tm_ms, told.f0_mhz) == ("steam", 20, 15, 123.2)
    assert (told.bandwidth_hz, told.points) == (1200, 64)


@pytest.mark.parametrize("words", [("--te1", 5), ("--shaped",)])
def test_press_can_be_told_in_more_detail(tmp_path, words):
    for name, more in (("a.nii", ()), ("b.nii", words)):
        invoke("write", tmp_path / name, "--points", 64, "--component", "Lac", *more)
    assert (tmp_path / "a.nii").read_bytes() != (tmp_path / "b.nii").read_bytes()


def test_mistakes_are_told(tmp_path):
    with pytest.raises(SettingsError, match="wanted one of"):
        invoke("write", tmp_path / "a.mat")
    with pytest.raises(HepaticaError, match="got component Lax"):
        invoke("write", tmp_path / "a.txt", "--component", "Lax")
    with pytest.raises(HepaticaError, match="give te_ms = 35, if so"):
        invoke("write", tmp_path / "a.txt", "--te", 0.035)
    assert invoke("show", tmp_path / "missing.basis").exit_code == 2
    assert not list(tmp_path.iterdir())
