"""Launch: one training by several processes, by torchrun; a process that dies lets all begin again where they were."""

import fcntl
import hashlib
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Event
from typing import Any

from hepatica.cohort.errors import SettingsError, UnavailableError
from hepatica.learn.asked import ENDED, asked

RESTARTS = 3
"""Times that all processes are begun anew after one has died (ours)."""

_SAFE = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}  # else restarts may hang on stale addresses (pytorch issue 135712)

_ENDS = "import os; from hepatica.learn.parent import end_with; end_with({parent})\n"
_TORCHRUN = """os.environ['HEPATICA_TORCHRUN'] = str(os.getpid())
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.run import main
try:
    main()
except SignalException:
    os._exit(143)
"""


_ADDRESS_OF = 0x8915  # SIOCGIFADDR of Linux
_MEETS_WITHIN_S = 86400  # slides may be prepared on the first machine for hours


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """Several `machines` that train together, and the HOST:PORT of the first one, `at` which they meet.

    Raises SettingsError for fewer than two, or another form.
    """

    machines: int
    at: str

    def __post_init__(self) -> None:
        port = self.at.rpartition(":")[2]
        if self.machines < 2 or not self.host or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise SettingsError(
                f"got {self.machines} machines that meet at {self.at!r}, wanted 2 or more, and HOST:PORT of the first"
            )

    @property
    def host(self) -> str:
        """The first machine."""
        return self.at.rpartition(":")[0]

    @property
    def is_here(self) -> bool:
        """Whether this is the first machine; SettingsError where its name is unknown."""
        return any(_is_ours(family, address) for family, address in self._addresses())

    def refuse_used(self) -> None:
        """SettingsError where the port of this first machine is in use."""
        family, address = self._addresses()[0]
        try:
            with socket.create_server(address[:2], family=family):
                pass
        except OSError as error:
            raise SettingsError(f"{self.at} cannot be used ({error.strerror}); name a free port") from None

    def reached_from(self) -> str:
        """The address of this machine by which it reaches the first."""
        family, address = self._addresses()[0]
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.connect(address)  # sends nothing
            return str(one.getsockname()[0])

    def interface(self) -> str:
        """The network interface with that address, of Linux and IPv4; "" where it is not found. Gloo would take the one
        that the machine's own name leads to, often that of the machine itself.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            for _, name in socket.if_nameindex():
                with suppress(OSError):  # it has no address
                    found = fcntl.ioctl(one, _ADDRESS_OF, struct.pack("256s", name.encode()))
                    if socket.inet_ntoa(found[20:24]) == self.reached_from():
                        return name
        return ""

    def wait(self, *, over: Callable[[], bool]) -> bool:
        """Wait until the first machine is there, or all is `over`: the answer. UnavailableError after a day."""
        print(f"waiting for {self.at}", file=sys.stderr, flush=True)
        until = time.monotonic() + _MEETS_WITHIN_S
        while not over():
            with suppress(OSError), socket.create_connection((self.host, int(self.at.rpartition(":")[2])), timeout=9):
                return False
            if time.monotonic() > until:
                raise UnavailableError(f"{self.at} did not answer for a day; start the first machine, then this one")
            time.sleep(1)
        return True

    def _addresses(self) -> "list[tuple[socket.AddressFamily, Any]]":
        try:
            found = socket.getaddrinfo(self.host, int(self.at.rpartition(":")[2]), type=socket.SOCK_STREAM)
        except OSError as error:
            raise SettingsError(f"{self.at}: this machine knows no {self.host} ({error}); give its address") from None
        if any(address[0] != self.host and ip_address(address[0]).is_loopback for *_, address in found):
            raise SettingsError(f"{self.at}: {self.host} leads to this machine alone; give its address in the network")
        return [(family, address) for family, _, _, _, address in found]


def _is_ours(family: "socket.AddressFamily", address: Any) -> bool:
    with suppress(OSError), socket.socket(family) as one:
        one.bind((address[0], 0, *address[2:]))
        return True
    return False


def launch(code: str, *, processes: int, meeting: Meeting | None = None) -> None:
    """Run Python code in several processes of this machine, and those of a `meeting`, that `fit` finds itself in.

    They speak by gloo, or NCCL where there are GPUs, and end with this process, however that ends; SIGTERM is passed on
    to them, and SystemExit raised when they have ended. UnavailableError
    where they died more often than `RESTARTS`, or one ended with an error, which it has printed.
    """
    words = [
        *(sys.executable, "-c", _ENDS.format(parent=os.getpid()) + _TORCHRUN),
        *(*_where(meeting, code), f"--nproc-per-node={processes}", "--rdzv-backend=c10d"),
        *(f"--max-restarts={RESTARTS}", "--no-python"),
        *(sys.executable, "-c", _ENDS.format(parent="int(os.environ['HEPATICA_TORCHRUN'])") + code),
    ]
    network = {} if meeting is None else {"GLOO_SOCKET_IFNAME": meeting.interface()}
    stop = Event()
    with subprocess.Popen(words, env=network | os.environ | _SAFE) as running:

        def pass_on() -> None:
            stop.set()
            running.terminate()

        try:
            with asked(pass_on):
                ended = running.wait()
        finally:
            running.terminate()
    if stop.is_set():
        raise SystemExit(ENDED)
    if ended:
        raise UnavailableError(
            f"training by {processes} processes ended with code {ended}; see what they printed. The same command goes"
            " on where it was; without --processes one process does"
        )


def _where(meeting: Meeting | None, code: str) -> Sequence[str]:
    """Of torchrun: the machines, and how they find each other; the same code on all, or they do not."""
    if meeting is None:
        return ("--nnodes=1", "--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1")
    return (
        *(f"--nnodes={meeting.machines}", f"--rdzv-endpoint={meeting.at}", f"--local-addr={meeting.reached_from()}"),
        f"--rdzv-id={hashlib.sha256(code.encode()).hexdigest()[:12]}",
        f"--rdzv-conf=is_host={meeting.is_here},join_timeout={_MEETS_WITHIN_S}",
    )


def of_ranks() -> Mapping[str, Any]:
    """Flags of Lightning's Trainer in a process that `launch`, or torchrun, has begun; none in any other."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return {}
    world, here = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    # Of a network's several outputs the loss may take one: what leads to the others alone has no gradient.
    return {"devices": here, "num_nodes": world // here, "strategy": "ddp_find_unused_parameters_true"}
