"""Node: takes studies from an archive, has a model read them, and gives the results back."""

import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import uvicorn

from hepatica.cohort.errors import UnavailableError
from hepatica.runs.workers import work
from hepatica.serve.node.deliveries import Deliveries
from hepatica.serve.node.receiver import Receiver
from hepatica.serve.node.settings import NodeSettings
from hepatica.serve.node.spool import Spool
from hepatica.serve.node.stow import application
from hepatica.serve.node.studies import Studies
from hepatica.serve.settings import Settings
from hepatica.serve.supervisor import workers
from hepatica.serve.workbench import open_workbench

LOG = logging.getLogger(__name__)

TICK_S = 0.5
"""Seconds between two looks at what is quiet, done or due. Ours."""

WORKER = "node"
"""Before the number of a thread that delivers; one node works on a folder."""


def run_node(node: NodeSettings, settings: Settings, *, say: Callable[[str], object], stop: threading.Event) -> None:
    """Run until `stop` is set or a signal ends it; `say` prints where it listens. What it was doing goes on after a
    restart, also after a sudden death.

    UnavailableError where a port is taken, SettingsError for files of TLS or tokens that cannot be used.
    """
    bench, folder = open_workbench(settings), settings.data / "node"
    spool = Spool(folder / "studies")
    deliveries = Deliveries(node, table=folder / "deliveries.sqlite", cases=settings.data / "cases")
    studies = Studies(node, spool=spool, cases=bench.cases, deliveries=deliveries, staging=folder / "staged")
    receiver = Receiver(node, spool)
    with ExitStack() as stack:
        stack.enter_context(_delivering(deliveries, count=max(1, len(node.archives))))
        if settings.workers:
            stack.enter_context(workers(settings))
        if node.stow is not None:
            say(f"STOW-RS: {stack.enter_context(_stowing(node, spool))}/dicom-web")
        try:
            receiver.start()
        except OSError as error:
            raise UnavailableError(f"port {node.port} cannot be opened ({error.strerror}); give another") from None
        stack.callback(receiver.stop)
        say(f"DICOM: {node.title} at {node.host} port {receiver.port}")
        while not stop.wait(TICK_S):
            studies.step()


@contextmanager
def _delivering(deliveries: Deliveries, *, count: int) -> Iterator[None]:
    """Threads that deliver, within the block; one that is busy with an archive leaves the others to the rest."""
    stop = threading.Event()

    def deliver(name: str) -> None:
        while not stop.is_set():
            try:
                work(deliveries.jobs, deliveries.kinds, worker=name, stop=stop)
            except Exception as error:  # a full disk, a locked table
                LOG.error("deliveries: %s; tried again later", type(error).__name__)
                stop.wait(5)

    for number in range(count):
        deliveries.jobs.release(f"{WORKER}-{number}")  # of a node that died
        threading.Thread(target=deliver, args=(f"{WORKER}-{number}",), daemon=True).start()
    try:
        yield
    finally:
        stop.set()


@contextmanager
def _stowing(node: NodeSettings, spool: Spool) -> Iterator[str]:
    """A web server within the block; its address."""
    if node.stow is None:
        raise ValueError("no [stow]")
    tls, files = node.tls, dict[str, Any]()
    if tls is not None:
        files = {"ssl_certfile": tls.certificate, "ssl_keyfile": tls.key, "ssl_ca_certs": tls.ca}
        files["ssl_cert_reqs"] = ssl.CERT_REQUIRED if tls.ca else ssl.CERT_NONE
    config = uvicorn.Config(
        application(node, spool), host=node.stow.host, port=node.stow.port, access_log=False, server_header=False,
        log_level="critical", **files,
    )  # fmt: skip
    listener = config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://{node.stow.host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)
