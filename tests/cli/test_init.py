from typer.testing import CliRunner

from hepatica.cli.app import app
from hepatica.cli.init import init
from hepatica.radiology.layouts import LAYOUTS, read_layout


def test_help_teaches_every_layout_and_its_licence():
    rows = {row.split("|")[1].strip(): row for row in init.__doc__.splitlines() if "| " in row}
    assert {*rows} - {"layout"} == {*LAYOUTS}
    for name in LAYOUTS:
        assert read_layout(name).licence.split(",")[0] in rows[name]
    shown = CliRunner().invoke(app, ["init", "--help"], terminal_width=200).output
    assert all(name in shown for name in LAYOUTS)


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
