"""In use: one process at a time, whatever became of the one before."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from hepatica.cohort import RunError
from hepatica.runs.in_use import LOCK, in_use

HOLD = """
import sys, time
from pathlib import Path
from hepatica.runs.in_use import in_use
with in_use(Path(sys.argv[1])):
    time.sleep(60)
"""


def test_a_held_folder_is_refused_and_that_of_a_killed_process_is_not(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path])
    while not ((tmp_path / LOCK).exists() and (tmp_path / LOCK).read_text()):
        time.sleep(0.02)
    with pytest.raises(RunError, match=f"process {holder.pid} on .*wait for its end"), in_use(tmp_path):
        pass
    holder.kill()
    holder.wait()
    assert (tmp_path / LOCK).exists()
    with in_use(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()


def test_the_further_processes_of_one_training_share_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_use(tmp_path):
        monkeypatch.setenv("LOCAL_RANK", "1")
        with in_use(tmp_path):
            assert (tmp_path / LOCK).exists()
        assert (tmp_path / LOCK).exists()


def test_those_that_share_a_folder_keep_others_out_until_the_last_has_ended(tmp_path: Path) -> None:
    with in_use(tmp_path, shared=True):
        with in_use(tmp_path, shared=True):
            pass
        with pytest.raises(RunError, match="in use"), in_use(tmp_path):
            pass
    assert not (tmp_path / LOCK).exists()
    with in_use(tmp_path), pytest.raises(RunError, match="in use"), in_use(tmp_path, shared=True):
        pass
