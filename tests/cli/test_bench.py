"""Bench: every hot path has a limit, and nothing is left behind."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hepatica.cli import app
from hepatica.cli.bench import Rate, per_second


def test_a_rate_is_what_was_done_a_second() -> None:
    clock = iter(range(1000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.perf_counter", lambda: next(clock))
        assert per_second(lambda: 6.0, seconds=20.0) == 6.0
    assert Rate(name="x", value=3.0, unit="s", limit=4.0).share == 0.75
    assert Rate(name="x", value=3.0, unit="s").share is None


def test_each_hot_path_is_a_share_of_a_limit(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", "--seconds", "0.05", "--folder", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    paths = [each for each in found if each["share"] is not None]
    assert len(paths) == 8
    assert len(found) - len(paths) == 6
    assert all(0 < each["share"] < 20 for each in paths)  # a busy machine may have measured the limit too low
    assert list(tmp_path.iterdir()) == []
