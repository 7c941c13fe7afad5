"""Supervisor: the processes of a workbench: one that serves, one that keeps the workers, each replaced when it dies."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from hepatica.runs.workers import run_workers
from hepatica.serve.settings import Settings

KINDS = "hepatica.serve.work:KINDS"


def supervise(settings: Settings) -> None:
    """Run the workers until SIGTERM, or the end of the process that started this one."""
    stop, parent = threading.Event(), os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which then sends SIGTERM

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        stop.set()

    threading.Thread(target=watch, daemon=True).start()
    settings.to_environment()
    run_workers(settings.where, KINDS, count=settings.workers, stop=stop)


@contextmanager
def workers(settings: Settings) -> Iterator[None]:
    """Workers in a process of its own within the block, which is replaced when it dies."""
    done, context = threading.Event(), get_context("spawn")

    def start() -> BaseProcess:
        process = context.Process(target=supervise, args=(settings,))
        process.start()
        return process

    def keep(process: BaseProcess) -> None:
        while not done.wait(0.5):
            if not process.is_alive():
                process = start()
        process.terminate()
        process.join(10)

    thread = threading.Thread(target=keep, args=(start(),))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
