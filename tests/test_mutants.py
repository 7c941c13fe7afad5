"""Mutants: spectra, bases, priors and tables damaged at random are read or refused in words, nothing else."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "mutants.py"
READERS = "spectrum,basis,priors,tables,readers,predictions"
"""Slides and studies have tests of their own."""


def test_no_damaged_file_ends_in_a_traceback_a_hang_or_a_gigabyte(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARK), str(tmp_path), "--mutants", "72", "--only", READERS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failures of 72 mutants" in done.stdout
    counted = {tuple(line.split()[:2]) for line in done.stdout.splitlines()}
    assert {(name, "refused") for name in READERS.split(",")} <= counted
