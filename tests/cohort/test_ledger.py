"""Ledger: every attempt leaves its trace; only what a user can mend is held back."""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime

import pytest

from hepatica.cohort import HepaticaError, Ledger, SpecimenError, UnavailableError


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


def test_a_specimen_never_tried_has_no_attempt(ledger):
    assert ledger.read("abc") == {"attempts": []}
    assert ledger.error("abc") is None


def test_an_attempt_that_ends_well_is_finished(ledger):
    with ledger.entry("abc", row=4):
        (open_attempt,) = ledger.read("abc")["attempts"]
        assert open_attempt["started"]
        assert (open_attempt["finished"], open_attempt["error"]) == (None, None)
    record = ledger.read("abc")
    (attempt,) = record["attempts"]
    assert record["row"] == 4
    assert datetime.fromisoformat(attempt["started"]) <= datetime.fromisoformat(attempt["finished"])
    assert attempt["error"] is ledger.error("abc") is None


@pytest.mark.parametrize("kind", [HepaticaError, SpecimenError, UnavailableError])
def test_what_a_user_can_mend_is_recorded_and_goes_no_further(ledger, kind):
    with ledger.entry("abc", row=2):
        raise kind("got 0 bytes, wanted a slide")
    assert ledger.error("abc") == f"{kind.__name__}: got 0 bytes, wanted a slide"
    assert ledger.read("abc")["attempts"][0]["finished"] is None


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ValueError, OSError, MemoryError])
def test_any_other_fault_is_recorded_and_raised(ledger, kind):
    with pytest.raises(kind, match="why"), ledger.entry("abc", row=2):
        raise kind("why")
    assert ledger.error("abc") == f"{kind.__name__}: why"


def test_attempts_add_up_and_the_last_one_counts(ledger):
    with ledger.entry("abc", row=2):
        raise SpecimenError("truncated")
    with ledger.entry("abc", row=3):
        pass
    record = ledger.read("abc")
    assert [attempt["error"] for attempt in record["attempts"]] == ["SpecimenError: truncated", None]
    assert record["row"] == 3
    assert ledger.error("abc") is None


def test_a_killed_attempt_stays_open_and_the_next_follows_it(ledger):
    script = (
        "import os, signal, sys; from pathlib import Path; from hepatica.cohort.ledger import Ledger\n"
        "with Ledger(Path(sys.argv[1])).entry('abc', row=2): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, os.fspath(ledger.folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (attempt,) = ledger.read("abc")["attempts"]
    assert attempt["started"]
    assert (attempt["finished"], attempt["error"]) == (None, None)
    with ledger.entry("abc", row=2):
        pass
    assert [bool(each["finished"]) for each in ledger.read("abc")["attempts"]] == [False, True]


def test_specimens_do_not_mix_and_files_are_plain_json(ledger):
    with ledger.entry("abc", row=2):
        raise SpecimenError("Größe 0")
    with ledger.entry("def", row=3):
        pass
    assert sorted(path.name for path in ledger.folder.iterdir()) == ["abc.json", "def.json"]
    assert json.loads((ledger.folder / "abc.json").read_text(encoding="utf-8"))["row"] == 2
    assert (ledger.error("abc"), ledger.error("def")) == ("SpecimenError: Größe 0", None)
