"""Slurm cluster: a SLURM of one node on this machine, started in a folder and ended with the block, as root."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

CONFIGURATION = """\
ClusterName=own
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus}
PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=INFINITE
"""


def free_port() -> int:
    """A port of the loopback that no program has."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which sbatch and squeue speak to it."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o711)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    about = {"host": socket.gethostname().partition(".")[0], "folder": folder, "cpus": os.cpu_count()}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**about, controller=free_port(), node=free_port()))
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
    socket_of = f"--socket={folder}/munge.socket"
    files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    with ExitStack() as stack:
        for words in (
            ["munged", "--foreground", "--force", socket_of, *files],
            ["slurmctld", "-D", "-c"],
            ["slurmd", "-D", "-N", about["host"]],
        ):
            own = stack.enter_context(_running(words, environment, log=folder / f"{words[0]}.out"))
            _until(lambda own=own: own.poll() is None and (folder / "munge.socket").exists(), words[0], folder)
        _until(lambda: "idle" in _said(["sinfo", "-h", "-o", "%T"], environment), "the node", folder)
        yield environment


def wait_for_jobs(environment: dict[str, str], *, seconds: float) -> None:
    """Until the queue is empty."""
    _until(lambda: not _said(["squeue", "-h"], environment).strip(), "the queue", Path(), seconds=seconds)


@contextmanager
def _running(words: list[str], environment: dict[str, str], *, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as file:
        process = subprocess.Popen(words, env=environment, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _said(words: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(words, env=environment, capture_output=True, text=True).stdout


def _until(right, what: str, folder: Path, *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not right():
        if time.monotonic() > end:
            logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in folder.glob("*.out"))
            raise TimeoutError(f"{what} is not ready after {seconds:.0f} s\n{logs}")
        time.sleep(0.2)
