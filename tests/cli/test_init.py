from typer.testing import CliRunner

from hepatica.cli.app import app
from hepatica.radiology.layouts import LAYOUTS, read_layout


def test_help_names_every_layout_and_its_licence():
    shown = " ".join(CliRunner().invoke(app, ["init", "--help"], terminal_width=200).output.split())
    for name in LAYOUTS:
        assert name in shown
        assert read_layout(name).licence.split(",")[0] in shown


def test_licence_and_what_is_not_verified_are_printed(tmp_path):
    scan = tmp_path / "waw/12/12_2_scan.nii.gz"
    scan.parent.mkdir(parents=True)
    scan.touch()
    result = CliRunner().invoke(app, ["init", "--layout", "waw-tace", str(tmp_path / "waw")])
    assert result.exit_code == 0, result.exception
    assert "WAW-TACE: 1 patients, 1 specimens, 0 lesions" in result.output
    assert "licence: CC BY 4.0" in result.output
    assert "not verified: the download itself" in result.output
    assert (tmp_path / "waw_cohort/cohort.toml").is_file()
