"""Engines: features and predictions of a phantom cohort by every engine, with kills: the same bytes, and the costs.

    OMP_NUM_THREADS=1 python benchmarks/engines.py FOLDER [--slides 64] [--side 2048] [--kills 20] [--ways 012345]

A small system of frozen features is trained on phantom slides; then `hepatica predict` does a cohort of `--slides`
slides: alone; by 2 processes; by 2 processes of which `--kills` die by SIGKILL; by a local Ray of 2 workers; by a Ray
cluster of two nodes of which one is removed in the middle; by an array of a real SLURM (munged, slurmctld and slurmd
of Debian, on the loopback, as root, ended after it). Every file must be, byte for byte, that of the call alone, but
for the ledger. Printed are the seconds of whole commands, with start-up, and of the jobs alone; and what the ledger
costs over a bare loop of the same jobs, in one process with the network open, in `--rounds` of both in turn. FOLDER is
used again; `--ways 345` does those alone (5: the ledger).
The exit code is 1 where a byte differs.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from uuid import uuid4

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from slurm_cluster import slurm_cluster, wait_for_jobs

from hepatica.cohort import load_cohort
from hepatica.pathology.phantom import PhantomSettings
from hepatica.protocol import override
from hepatica.runs import open_run, predict, train
from hepatica.runs.engine import Engine
from hepatica.runs.jobs import Jobs
from hepatica.runs.on_ray import QUIET
from hepatica.runs.spread import KINDS, prepare_jobs
from hepatica.runs.workers import work
from hepatica.systems import find_system

MAIN = [sys.executable, "-c", "from hepatica.cli import main; main()"]
OF_JOBS = ("report.html", "ledger", "jobs", "jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm")


def made(folder: Path, *, slides: int, side: int) -> tuple[Path, Path]:
    """A locked run and a cohort of two slides a patient."""
    if (folder / "many" / "cohort.toml").exists():
        return folder / "run", folder / "many"
    system = find_system("saillard_2020")
    few = system.phantom(folder / "few", patients=20, seed=1, hospital="A", settings=PhantomSettings(side=512))
    settings = override(system.shortest_quick, {"tiles_per_specimen": None, "tiles_at_once": 16})
    train(system, few, run=folder / "run", settings=settings)
    many = system.phantom(
        folder / "many", patients=slides // 2, seed=2, hospital="B", settings=PhantomSettings(side=side)
    )
    return folder / "run", many


def digest(folder: Path) -> dict[str, bytes]:
    """The bytes of every file but those of time and of the jobs, and the page, which the command alone writes."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    # What a process was writing when it was killed lies under a hidden name until the next call removes it.
    found = [path for path in found if not (path.name.startswith(".") and ".part" in path.name)]
    names = {path: path.relative_to(folder) for path in found}
    return {str(name): path.read_bytes() for path, name in names.items() if not set(name.parts) & set(OF_JOBS)}


def words(run: Path, cohort: Path, out: Path, *further: str) -> list[str]:
    """The words of a command."""
    return ["predict", str(run), str(cohort), "--out", str(out), "--pictures", "0", *further]


def whole(words: list[str], meanwhile: Callable[[int], object] = lambda process: None) -> float:
    """Seconds of a command; `meanwhile` is given its number."""
    begun = time.perf_counter()
    process = subprocess.Popen([*MAIN, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    meanwhile(process.pid)
    _, said = process.communicate()
    if process.returncode:
        sys.exit(f"{' '.join(words)}: {said}")
    return time.perf_counter() - begun


def children(process: int) -> list[int]:
    """The processes that a process has begun."""
    path = Path(f"/proc/{process}/task/{process}/children")
    return list(map(int, path.read_text().split())) if path.exists() else []


def killer(*, kills: int, within: float, seed: int, done: list[int]) -> Callable[[int], None]:
    """Kills a worker of a command, a random one each time."""
    rng = random.Random(seed)

    def kill(process: int) -> None:
        while len(done) < kills and Path(f"/proc/{process}").exists():
            time.sleep(rng.uniform(0.5, 1.5) * within / kills)
            servers = [
                each for each in children(process) if b"forkserver" in Path(f"/proc/{each}/cmdline").read_bytes()
            ]
            workers = [each for server in servers for each in children(server)]
            if workers:
                os.kill(rng.choice(workers), signal.SIGKILL)
                done.append(1)
            if Path(f"/proc/{process}/stat").read_text().split()[2] == "Z":
                return

    return kill


def on_two_nodes(run: Path, cohort: Path, out: Path) -> float:
    """Seconds of a call on a Ray cluster of two nodes, one removed when half of the slides are done."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    node = cluster.add_node(num_cpus=1)
    half = threading.Thread(target=remove, args=(cluster, node, out / "prepared" / "jobs.sqlite"))
    half.start()
    begun = time.perf_counter()
    try:
        predict(run, [cohort], out=out, pictures=0, engine=Engine(ray=cluster.address, shares={"workers": 2}))
        return time.perf_counter() - begun
    finally:
        half.join()
        ray.shutdown()
        cluster.shutdown()


def remove(cluster: object, node: object, ledger: Path) -> None:
    """Take a node away when half of the jobs are done."""
    while not ledger.exists() or not (all_ := Jobs(ledger).all(kind="prepare")):
        time.sleep(0.2)
    while 2 * len(Jobs(ledger).all(kind="prepare", state="done")) < len(all_):
        time.sleep(0.2)
    cluster.remove_node(node, allow_graceful=False)  # type: ignore[attr-defined]
    print(f"  a node removed after {len(Jobs(ledger).all(state='done'))} of {len(all_)} slides", flush=True)


def on_slurm(folder: Path, run: Path, cohort: Path, out: Path) -> float:
    """Seconds of an array of two elements and what follows it."""
    shutil.rmtree(folder, ignore_errors=True)
    script = folder.with_suffix(".sh")
    main = [*MAIN, "slurm", "--elements", "2", "--cpus", "1", "--script", str(script), "--", *words(run, cohort, out)]
    with slurm_cluster(folder) as environment:
        begun = time.perf_counter()
        subprocess.run(main, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["bash", str(script)], env=environment, check=True, stdout=subprocess.DEVNULL)
        wait_for_jobs(environment, seconds=3600)
        return time.perf_counter() - begun


class Entered(Engine):
    """Jobs are entered into the table, and done elsewhere."""

    def run(self, where: Path | str, kinds: str, *, label: str, total: int) -> None:
        """Do nothing."""


def ledger_over_loop(folder: Path, run: Path, cohort: Path, *, rounds: int) -> None:
    """Print what the ledger costs: the same jobs of 8 patients in this process, in turn, by `work` and by a bare loop.

    Cohort and network are open before the first round, and a round begins with nothing prepared.
    """
    locked, loaded, own = open_run(run), load_cohort(cohort), folder / "ledger"
    shutil.rmtree(own, ignore_errors=True)
    loaded = loaded.select(loaded.patients.index[:8])
    prepare_jobs(locked.system, loaded, locked.settings, own, engine=Entered(share=True))
    every = Jobs(own / "jobs.sqlite").all()

    def bare() -> None:
        for job in every:
            KINDS["prepare"](job, lambda share: True)

    def by_ledger() -> None:
        jobs = Jobs(own / f"{uuid4()}.sqlite")
        jobs.add_all([(job.kind, job.given) for job in every])
        work(jobs, KINDS, worker="w")

    taken(bare, own)
    found, alone = [], of_nothing(own)
    for turn in range(rounds):
        order = [by_ledger, bare] if turn % 2 else [bare, by_ledger]
        one = {way.__name__: taken(way, own) for way in order}
        found.append([*one["by_ledger"], *one["bare"]])
        print("  CPU {:.2f} s, wall {:.2f} s by the ledger; {:.2f}, {:.2f} bare".format(*found[-1]), flush=True)
    least = min(each[2] for each in found) / len(every)
    print(f"a job of nothing: {1000 * alone:.2f} ms of the processor, {100 * alone / least:.2f} % of {least:.2f} s")
    for place, name in enumerate(("CPU", "wall")):
        ratios = sorted(each[place] / each[place + 2] for each in found)
        mean = median(each[place + 2] for each in found) / len(every)
        print(
            f"ledger over a bare loop, {len(every)} jobs of {mean:.2f} s: {name}"
            f" {100 * (median(ratios) - 1):+.1f} % ({100 * (ratios[0] - 1):+.1f} to {100 * (ratios[-1] - 1):+.1f})"
        )


def of_nothing(own: Path, *, count: int = 200) -> float:
    """Seconds of the processor that a job takes in which nothing is done, least of five."""
    found = []
    for _ in range(5):
        begun, jobs = time.process_time(), Jobs(own / f"{uuid4()}.sqlite")
        jobs.add_all([("nothing", {"n": n}) for n in range(count)])
        work(jobs, {"nothing": lambda job, progress: None}, worker="w")
        found.append((time.process_time() - begun) / count)
    return min(found)


def taken(way: Callable[[], None], own: Path) -> tuple[float, float]:
    """Seconds of the processor and of the clock."""
    for path in [*own.glob("*.h5"), *own.glob("ledger/*.json")]:
        path.unlink()
    cpu, wall = time.process_time(), time.perf_counter()
    way()
    found = time.process_time() - cpu, time.perf_counter() - wall
    if not list(own.glob("*.h5")):
        sys.exit("nothing was prepared")
    return found


def span(out: Path) -> float:
    """Seconds from the first to the last file of features, the start of processes left out."""
    times = sorted(path.stat().st_mtime for path in (out / "prepared").glob("*.h5"))
    return times[-1] - times[0]


def main() -> None:
    """Print a line an engine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    for name, value in (("slides", 64), ("side", 2048), ("kills", 20), ("seed", 0), ("rounds", 6)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--ways", default="012345")
    given = parser.parse_args()
    os.environ.update(QUIET)
    folder = given.folder.resolve()
    run, cohort = made(folder, slides=given.slides, side=given.side)
    count = len(load_cohort(cohort).specimens)
    print(f"{count} slides of {given.side} pixels, {os.cpu_count()} cores", flush=True)
    if given.ways == "5":
        ledger_over_loop(folder, run, cohort, rounds=given.rounds)
        return
    done: list[int] = []
    begun = time.perf_counter()
    whole(words(run, cohort, folder / "alone"))  # again it takes what is prepared
    alone = time.perf_counter() - begun
    wanted, faults = digest(folder / "alone"), 0
    pool = 0.0

    def ways() -> dict[str, Callable[[Path], float]]:
        kill = killer(kills=given.kills, within=0.7 * alone, seed=given.seed, done=done)
        return {
            "2 processes": lambda out: whole(words(run, cohort, out, "--jobs", "2")),
            "2 processes, killed": lambda out: whole(words(run, cohort, out, "--jobs", "2"), kill),
            "Ray, 2 workers": lambda out: whole(words(run, cohort, out, "--ray", "local", "--ray", "workers=2")),
            "Ray, a node lost": lambda out: on_two_nodes(run, cohort, out),
            "SLURM, 2 elements": lambda out: on_slurm(folder / "slurm", run, cohort, out),
        }

    print(f"alone: {alone:.1f} s, features {span(folder / 'alone'):.1f} s", flush=True)
    for place, (name, way) in enumerate(ways().items()):
        if str(place) not in given.ways:
            continue
        out = folder / f"way_{place}"
        shutil.rmtree(out, ignore_errors=True)
        taken = way(out)
        found = digest(out)
        differing = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
        faults += bool(differing)
        pool = pool or taken
        same = f"DIFFERS: {differing[:5]}" if differing else f"all {len(wanted)} files the same"
        attempts = sum(job.attempts - 1 for job in Jobs(out / "prepared" / "jobs.sqlite").all())
        print(
            f"{name}: {taken:.1f} s ({taken / pool:.2f} of the pool), features {span(out):.1f} s; {same};"
            f" {attempts} jobs begun again{f', {len(done)} kills' if 'killed' in name else ''}",
            flush=True,
        )
    if "5" in given.ways:
        ledger_over_loop(folder, run, cohort, rounds=given.rounds)
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
