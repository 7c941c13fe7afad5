"""Fetch: the command teaches, refuses in one line, and hands its options on."""

import os

import pytest
from typer.testing import CliRunner

from hepatica.cli import app


def test_help_tells_size_licence_and_use(hepatica):
    done = hepatica("fetch", "tcga-lihc", "--help")
    assert done.returncode == 0
    assert all(
        word in done.stdout for word in ("500 GB", "open access", "validate", "--external", "--limit", "fetch.json")
    )


@pytest.mark.parametrize("words", [("--limit", 0), ("--slides", "some")])
def test_options_out_of_range_are_one_line(hepatica, words, tmp_path):
    done = hepatica("fetch", "tcga-lihc", tmp_path, *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words[0] in done.stderr
    assert not os.listdir(tmp_path)


def test_options_reach_the_fetch(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("hepatica.fetch.fetch_tcga_lihc", lambda folder, **options: asked.append(options) or folder)
    done = CliRunner().invoke(app, ["fetch", "tcga-lihc", str(tmp_path), "--limit", "3", "--slides", "one"])
    assert done.exit_code == 0
    assert asked == [{"limit": 3, "slides": "one", "genes": (), "outlines": None, "cdr": None}]
    assert str(tmp_path) in done.output.replace("\n", "")
