"""Systems: the list can be filtered by instrument, task and words, and read by a program."""

import json

import pytest
import typer
from typer.testing import CliRunner

from hepatica.cli.systems import systems


@pytest.mark.parametrize(
    ("words", "there", "absent"),
    [
        ((), {"bae_2025_ccnn", "li_2025_cnn_sasm", "wang_2021_hccnet"}, set()),
        (("--modality", "spectrum"), {"bae_2025_ccnn", "bae_2025_qcnn"}, {"li_2025_cnn_sasm", "wang_2021_hccnet"}),
        (("--task", "binary", "hccnet", "CARCINOMA"), {"wang_2021_hccnet"}, {"bae_2025_ccnn", "li_2025_cnn_sasm"}),
        (("--modality", "slide", "concentrations"), set(), {"bae_2025_qcnn", "li_2025_cnn_sasm"}),
    ],
)
def test_filters_go_together(words: tuple[str, ...], there: set[str], absent: set[str]) -> None:
    app = typer.Typer()
    app.command()(systems)
    done = CliRunner().invoke(app, ["--json", *words])
    assert done.exit_code == 0, done.output
    names = {record["name"] for record in json.loads(done.output)}
    assert there <= names
    assert not absent & names
