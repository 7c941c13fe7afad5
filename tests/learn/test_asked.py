"""Asked: SIGTERM is answered within, ignored where it was, and as before afterwards."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hepatica.learn.asked import asked


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_it_is_answered_within_and_by_who_was_there_before_afterwards() -> None:
    answers: list[str] = []
    signal.signal(signal.SIGTERM, lambda *_: answers.append("before"))
    with asked(lambda: answers.append("within")) as handler:
        signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is handler
    signal.raise_signal(signal.SIGTERM)
    assert answers == ["within", "before"]


def test_what_was_ignored_still_is() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with asked(lambda: pytest.fail("answered")) as handler:
        signal.raise_signal(signal.SIGTERM)
        assert handler is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_a_thread_changes_nothing() -> None:
    def within() -> object:
        with asked(lambda: None) as handler:
            return handler

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(within).result() is None
