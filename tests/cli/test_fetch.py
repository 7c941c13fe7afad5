"""Fetch: the command teaches, refuses in one line, and hands its options on."""

import os
from importlib import import_module

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
    given = {"limit": 3, "slides": "one", "genes": (), "outlines": None, "cdr": None}
    assert asked == [{**given, "by_url": False}]
    assert str(tmp_path) in done.output.replace("\n", "")


def test_slides_by_url_are_described_next(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("hepatica.fetch.fetch_tcga_lihc", lambda folder, **options: asked.append(options) or folder)
    done = CliRunner().invoke(app, ["fetch", "tcga-lihc", str(tmp_path), "--by-url"])
    assert asked[0]["by_url"] is True
    assert f"next: hepatica features {tmp_path}" in done.output.replace("\n", "")


def test_features_reach_their_function_and_failures_are_counted(write_cohort, hepatica, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        import_module("hepatica.runs.features"),
        "features",
        lambda cohort, *, out, settings, limit, engine: asked.append((settings, limit, engine)) or (out, 2),
    )
    words = ("--encoder", "uni", "--weights", "random", "--set", "stain=true", "--limit", 3, "--jobs", 2)
    done = hepatica("features", write_cohort(tmp_path / "c"), "--out", tmp_path / "out", *words)
    assert done.returncode == 0
    settings, limit, engine = asked[0]
    assert (settings.encoder, settings.weights, settings.stain, limit) == ("uni", "random", True, 3)
    assert engine.processes == 2
    assert "2 slide(s) gave no features" in done.stdout
    assert "--set encoder=uni" in done.stdout
