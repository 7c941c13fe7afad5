"""Kills: a workbench whose processes are killed under load has every result once, as if nothing had happened."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "serve_kills.py"


def test_two_kills_lose_double_and_change_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARK), str(tmp_path), "--kills", "2", "--cases", "4", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 cases once each, with the results of predict alone" in done.stdout
    assert done.stdout.count(" killed: ") == 2
