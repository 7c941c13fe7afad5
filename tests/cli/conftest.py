"""The command line, run in this process: a new one would import PyTorch for seconds."""

import signal
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from hepatica.cli import main


@pytest.fixture
def hepatica(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., SimpleNamespace]:
    """`hepatica(word, …)` is what the command line answers: `returncode`, `stdout` and `stderr`."""

    def run(*words: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["hepatica", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "120")
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        said = capfd.readouterr()
        return SimpleNamespace(returncode=left.value.code, stdout=said.out, stderr=said.err)

    return run
