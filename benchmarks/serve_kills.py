"""Serve kills: whether a workbench whose processes are killed at random moments, under load, loses or changes a result.

    .venv/bin/python benchmarks/serve_kills.py FOLDER [--kills 20] [--cases 40] [--seed 0] [--database URL]

In FOLDER a system of tables is trained on a phantom hospital. `hepatica serve` then predicts `--cases` small tables,
submitted by two clients at once, each twice, while one of its processes (the server, the one that keeps the workers,
a worker; with a PostgreSQL of this machine also one of its connections, at which it ends all and recovers) is sent
SIGKILL, `--kills` times; a server that was killed is started again. At the end each table must be one
case, done, with predictions.csv byte-identical to that of `predict` without a workbench. A job that three kills in a
row have hit is set aside, which is counted, and tried again. The exit code is 1 where a result was lost, doubled or
changed.
"""

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hepatica.client import Client, WorkbenchError
from hepatica.cohort.errors import UnavailableError
from hepatica.runs import predict, train
from hepatica.serve.accounts import User
from hepatica.serve.settings import Settings
from hepatica.serve.workbench import open_workbench
from hepatica.systems import find_system

COMMAND = "from hepatica.cli import main; main()"
LONGEST_S = 900
"""Seconds after which what is not done counts as lost."""


@dataclass
class Server:
    """A workbench in processes of its own, which is started anew when it has died."""

    folder: Path
    database: str = ""
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = Settings(data=self.folder / "data", runs=self.folder / "runs", database=self.database)
        bench = open_workbench(settings)
        self.token = bench.accounts.issue(User(name="local", role="admin"), label="kills", role="admin", days=1)[1]
        bench.database.close()

    def start(self) -> None:
        """Start it, and keep it running until `done` is set."""
        words = ["serve", f"--runs={self.folder / 'runs'}", f"--data={self.folder / 'data'}", f"--port={self.port}"]
        words += [f"--database={self.database}"] if self.database else []
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *words, "--workers=2"], stdout=subprocess.DEVNULL, start_new_session=True
        )

    def keep(self) -> None:
        """Start it whenever it has died, until `done` is set; then end it."""
        while not self.done.wait(0.1):
            if self.process is None or self.process.poll() is not None:
                self.start()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)

    def client(self) -> Client:
        """A client of it."""
        return Client(f"http://127.0.0.1:{self.port}", token=self.token, timeout_s=20)

    def family(self) -> dict[str, list[int]]:
        """Numbers of its processes by what they are."""
        if self.process is None or self.process.poll() is not None:
            return {}
        found = {"server": [self.process.pid]}
        children = _children()
        keepers = [each for each in children.get(self.process.pid, []) if "spawn_main" in _command(each)]
        workers = [
            worker for keeper in keepers for fork in children.get(keeper, []) for worker in children.get(fork, [])
        ]
        names = (("keeper", keepers), ("worker", workers), ("database", self.backends()))
        return found | {name: pids for name, pids in names if pids}

    def backends(self) -> list[int]:
        """Numbers of the processes of PostgreSQL that serve it."""
        name = self.database.rpartition("/")[2]
        own = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline")]
        return [pid for pid in own if name and _command(pid).startswith("postgres: ") and f" {name} " in _command(pid)]


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ProcessLookupError):
            continue
        found.setdefault(parent, []).append(int(path.parent.name))
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def tables(folder: Path, count: int) -> list[Path]:
    """A run in folder/runs, and small tables of patients, no two alike."""
    system = find_system("nam_2020_incidence")
    cohort = system.phantom(folder / "cohort", patients=60, seed=1, hospital="A")
    train(system, cohort, run=folder / "runs" / "one", settings=system.shortest_quick)
    other = system.phantom(folder / "other", patients=count, seed=2, hospital="B")
    header, *rows = (other / "patients.csv").read_text().splitlines()
    (folder / "sent").mkdir(exist_ok=True)
    found = [folder / "sent" / f"{number}.csv" for number in range(count)]
    for path, row in zip(found, rows, strict=True):
        path.write_text(f"{header}\n{row}\n")
    return found


def alone(folder: Path, sent: Sequence[Path]) -> dict[str, bytes]:
    """What `predict` says of each, without a workbench."""
    found = {}
    for path in sent:
        cohort, out = folder / "alone" / path.stem, folder / "alone" / f"{path.stem}_out"
        cohort.mkdir(parents=True, exist_ok=True)
        (cohort / "cohort.toml").write_text('name = "case"\n')
        (cohort / "patients.csv").write_bytes(path.read_bytes())
        predict(folder / "runs" / "one", [cohort], out=out, pictures=0)
        found[path.stem] = (out / "predictions.csv").read_bytes()
    return found


def insist(server: Server, sent: Sequence[Path], cases: dict[str, set[str]]) -> None:
    """Submit each until the workbench has answered."""
    with server.client() as client:
        for path in sent:
            until = time.monotonic() + LONGEST_S
            while time.monotonic() < until:
                try:
                    cases.setdefault(path.stem, set()).add(client.submit(path, run="one")["case_id"])
                    break
                except (UnavailableError, WorkbenchError, OSError) as error:
                    if isinstance(error, WorkbenchError) and error.status not in (404, 409, 503):
                        raise
                    time.sleep(0.2)


def strike(server: Server, *, kills: int, rng: random.Random) -> Counter[str]:
    """Kill processes of the workbench at random moments; how many of each."""
    struck: Counter[str] = Counter()
    while sum(struck.values()) < kills and not server.done.is_set():
        time.sleep(rng.uniform(0.2, 4))
        family = server.family()
        if "worker" not in family and rng.random() < 0.97:
            continue  # it is starting, in which a kill shows less
        if not family:
            continue
        name = rng.choice(sorted(family))
        try:
            os.kill(rng.choice(family[name]), signal.SIGKILL)
        except ProcessLookupError:
            continue
        struck[name] += 1
        print(f"{sum(struck.values()):3d} killed: {name}", flush=True)
    return struck


def settled(server: Server, count: int) -> tuple[list[dict[str, object]], int]:
    """All cases once they have ended, and how often one was set aside and tried again."""
    again, until, found = 0, time.monotonic() + LONGEST_S, []
    with server.client() as client:
        while time.monotonic() < until:
            try:
                found = client.cases()
                for each in found:
                    if each["state"] == "quarantined":
                        client._json("POST", f"jobs/{each['case_id']}/retry")
                        again += 1
            except (UnavailableError, WorkbenchError):
                continue
            if len(found) >= count and all(each["state"] in ("done", "failed") for each in found):
                break
            time.sleep(0.5)
    return found, again


def faults(
    folder: Path, cases: dict[str, set[str]], found: Sequence[dict[str, object]], expected: dict[str, bytes]
) -> list[str]:
    """Results that were lost, doubled or changed."""
    states = {str(each["case_id"]): each["state"] for each in found}
    said = [f"{name}: {len(ids)} cases" for name, ids in cases.items() if len(ids) != 1]
    said += ["there are cases that were not answered"] if set().union(*cases.values()) != set(states) else []
    for name, content in expected.items():
        (case,) = list(cases.get(name, {""}))[:1]
        if states.get(case) != "done":
            said.append(f"{name}: {states.get(case, 'lost')}")
        elif (folder / "data" / "cases" / case / "result" / "predictions.csv").read_bytes() != content:
            said.append(f"{name}: another result")
    return said


def besiege(
    folder: Path, *, kills: int, cases: int, seed: int, database: str = ""
) -> tuple[Counter[str], int, list[str]]:
    """Which processes were killed, how many jobs were tried again, and what was lost, doubled or changed."""
    sent = tables(folder, cases)
    expected = alone(folder, sent)
    server, answered = Server(folder, database=database), dict[str, set[str]]()
    orders = [sent, sent[::-1]]
    threads = [threading.Thread(target=insist, args=(server, order, answered)) for order in orders]
    keeper = threading.Thread(target=server.keep)
    keeper.start()
    try:
        for each in threads:
            each.start()
        struck = strike(server, kills=kills, rng=random.Random(seed))
        for each in threads:
            each.join(LONGEST_S)
        found, again = settled(server, cases)
    finally:
        server.done.set()
        keeper.join()
    return struck, again, faults(folder, answered, found, expected)


def main() -> None:
    """Print what was killed and what became of the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", default="")
    given = parser.parse_args()
    begun = time.monotonic()
    struck, again, said = besiege(
        given.folder.resolve(), kills=given.kills, cases=given.cases, seed=given.seed, database=given.database
    )
    print(f"killed: {dict(struck)}; jobs set aside and tried again: {again}; {time.monotonic() - begun:.0f} s")
    print("\n".join(said) or f"{given.cases} of {given.cases} cases once each, with the results of predict alone")
    sys.exit(bool(said))


if __name__ == "__main__":
    main()
