"""Export: the command tells how far its files answer from the network."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from torch import nn
from typer.testing import CliRunner

from hepatica.cli.export import export
from hepatica.systems import li_2025_cnn_sasm


def test_files_are_told_with_their_differences(trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = replace(trained.system, parts=lambda network: nn.ModuleDict({"extractor": network.extractor}))
    monkeypatch.setattr(li_2025_cnn_sasm, "SYSTEM", system)
    shutil.copytree(trained.run, tmp_path / "run")
    app = typer.Typer()
    app.command()(export)
    done = CliRunner().invoke(app, [str(tmp_path / "run"), str(trained.cohort), "--format", "onnx", "--int8"])
    assert done.exit_code == 0, done.output
    assert "extractor_int8.onnx: logits differ by at most" in done.output
    assert "calls at a cut-off of 0.5 differ" in done.output
    assert CliRunner().invoke(app, [str(tmp_path / "run"), str(trained.cohort), "--format", "coreml"]).exit_code == 2
