"""Serve load: how long a workbench takes to answer many users at once, while its worker does jobs.

    .venv/bin/python benchmarks/serve_load.py FOLDER [--users 50] [--seconds 20] [--think 1.0] [--cores 0,1]

In FOLDER a system of tables is trained on a phantom hospital, and `hepatica serve` is started on 127.0.0.1 with one
worker, which predicts tables one after the other, with pictures. Each user then asks for one page after the other, with
a pause of `--think` seconds between them (0: none), for `--seconds`. Printed are the milliseconds of each kind of page:
median, 95th percentile, the slowest; and how many jobs were done meanwhile. The clients run on the same cores. The exit
code is 1 where the median of a page is 300 ms or more, or an answer is not the one wanted.
"""

import argparse
import asyncio
import os
import random
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np
from serve_kills import Server, tables

from hepatica.cohort.errors import UnavailableError

LIMIT_MS, START_S = 300.0, 120.0
PAGES = (
    *("/", "/cases", "/runs", "/api/v1/cases", "/api/v1/runs", "/api/v1/jobs", "/api/v1/scores"),
    *("/api/v1/cases/{case}", "/api/v1/cases/{case}/result"),
)
"""What is asked for; those that this workbench does not have are left out."""


def submit(server: Server, sent: Sequence[Path]) -> str:
    """Submit all, once the server answers; the first case, once it is done."""
    until = time.monotonic() + START_S
    with server.client() as client:
        while True:
            try:
                client.cases()
                break
            except UnavailableError:
                if time.monotonic() > until:
                    raise
        cases = [client.submit(path, run="one")["case_id"] for path in sent]
        client.wait(cases[0])
        return str(cases[0])


def done(server: Server) -> int:
    """Cases that are done."""
    with server.client() as client:
        return sum(each["state"] == "done" for each in client.cases())


async def user(client: httpx.AsyncClient, pages: Sequence[str], *, until: float, think: float, rng: random.Random,
               took: dict[str, list[float]]) -> None:  # fmt: skip
    """One page after the other, in random order."""
    await asyncio.sleep(rng.uniform(0, max(think, 0.1)))
    while time.monotonic() < until:
        page = rng.choice(pages)
        begun = time.perf_counter()
        try:
            answer = await client.get(page)
        except httpx.ReadError:  # a connection that was idle is closed as it is used; a browser opens another one
            continue
        took[page].append(1000 * (time.perf_counter() - begun) if answer.status_code == 200 else float("nan"))
        await asyncio.sleep(think * rng.uniform(0.5, 1.5))


async def load(server: Server, case: str, *, users: int, seconds: float, think: float) -> dict[str, list[float]]:
    """Milliseconds of each answer, by page."""
    headers = {"authorization": f"Bearer {server.token}"}
    limits = httpx.Limits(max_connections=users, max_keepalive_connections=users)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}", headers=headers, limits=limits, timeout=60
    ) as client:
        named = {page: page.format(case=case) for page in PAGES}
        there = [page for page in named.values() if (await client.get(page)).status_code == 200]
        took: dict[str, list[float]] = {page: [] for page in there}
        until = time.monotonic() + seconds
        every = (
            user(client, there, until=until, think=think, rng=random.Random(number), took=took)
            for number in range(users)
        )
        await asyncio.gather(*every)
        return {page.replace(case, "CASE"): found for page, found in took.items()}


def main() -> None:
    """Print the milliseconds of each page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--think", type=float, default=1.0)
    parser.add_argument("--cores", default="0,1")
    given = parser.parse_args()
    os.sched_setaffinity(0, {int(each) for each in given.cores.split(",")})
    folder = given.folder.resolve()
    sent = tables(folder, 60)
    server = Server(folder)
    keeper = threading.Thread(target=server.keep)
    keeper.start()
    try:
        case = submit(server, sent)
        before = done(server)
        took = asyncio.run(load(server, case, users=given.users, seconds=given.seconds, think=given.think))
        print(f"{given.users} users, {given.think:g} s between pages; jobs done meanwhile: {done(server) - before}")
    finally:
        server.done.set()
        keeper.join()
    slow = False
    for page, found in {**took, "all": [each for some in took.values() for each in some]}.items():
        wrong = int(np.isnan(found).sum())
        median, late, most = np.nanpercentile(found, [50, 95, 100])
        slow = slow or bool(wrong) or median >= LIMIT_MS
        times = f"median {median:.0f}, 95 % {late:.0f}, most {most:.0f}"
        print(f"{page:32s} {len(found):6d} answers, {wrong} wrong; ms: {times}")
    sys.exit(slow)


if __name__ == "__main__":
    main()
