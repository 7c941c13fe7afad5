"""Fixtures: a workbench that is really served, and Chromium to open its pages in."""

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from services import absent, program

from hepatica.runs.workers import work
from hepatica.serve import work as kinds
from hepatica.serve.application import create
from hepatica.serve.cases import Case
from hepatica.serve.pages.assets import COPIED, missing
from hepatica.serve.settings import ENVIRONMENT, Settings
from hepatica.serve.workbench import Workbench

FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
BUSY = ("GPU stall", "htmx:error: timeout")
"""What a browser notes on a machine that does much else; the page then asks again."""

PATIENCE_MS = 120_000  # of a machine that does much else; nothing waits on time
AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Opened:
    """One page, with every host that it asked and everything that the browser's console complained of."""

    page: Any
    base: str
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str, *, ready: str = "html[data-ready]") -> Any:
        """Open a path and wait for what says that it is ready."""
        self.page.goto(self.base + path)
        self.page.wait_for_selector(ready, state="attached")
        return self.page

    def faults(self) -> list[str]:
        """Serious faults of accessibility, by axe-core."""
        if not AXE.is_file():
            absent("axe-core (npm ci in the repository)")
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        wrong = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in wrong]


@dataclass(frozen=True)
class Served:
    """A workbench and where it is served."""

    bench: Workbench
    base: str
    browser: Any

    def submit(self, source: Path, *, run: str) -> Case:
        """A case of a copy of the file, not yet predicted."""
        place = self.bench.settings.data / f"copy{''.join(source.suffixes[-2:])}"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        return self.bench.cases.submit(place, run=run)

    def finish(self) -> int:
        """Do all jobs, in this process: one or more, of which none may fail."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(ENVIRONMENT, "")
            self.bench.settings.to_environment()
            begun = work(self.bench.jobs, kinds.KINDS, worker="test")
        assert begun
        assert [each.error for each in self.bench.jobs.all() if each.state != "done"] == []
        return begun

    def open(self, *, width: int = 1400, dark: bool = False) -> Opened:
        """A new page of a browser that is signed in."""
        look = "dark" if dark else "light"
        context = self.browser.new_context(viewport={"width": width, "height": 900}, color_scheme=look)
        context.set_default_timeout(PATIENCE_MS)
        cookie = self.bench.accounts.open_session("local")
        context.add_cookies([{"name": "hepatica_session", "value": cookie, "url": self.base}])
        found = Opened(page=context.new_page(), base=self.base)
        found.page.on("request", lambda asked: found.hosts.add(urlsplit(asked.url).netloc))
        found.page.on("console", lambda said: _note(found, said))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        return found


def _note(found: Opened, said: Any) -> None:
    if said.type in ("error", "warning") and not any(each in said.text for each in BUSY):
        found.complaints.append(said.text)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser without a screen, of one module, for its loop of events would be in the way of other tests.

    Skips, or fails where all is required, without Chromium or the packages of npm.
    """
    path = program("chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    if lacking := missing(COPIED):
        absent(f"{', '.join(lacking)} (npm ci, then ./run)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def serve(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """`serve(runs, cohorts, …)`: a workbench of these folders and settings, on a free port of this machine."""
    servers: list[uvicorn.Server] = []

    def start(runs: Path, cohorts: Path, **more: Any) -> Served:
        settings = Settings(data=tmp_path_factory.mktemp("workbench"), runs=runs, cohorts=cohorts, **more)
        app = create(settings)
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
        threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
        while not server.started:
            time.sleep(0.02)
        servers.append(server)
        return Served(app.state.workbench, f"http://127.0.0.1:{listener.getsockname()[1]}", chromium)

    yield start
    for each in servers:
        each.should_exit = True


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[Callable[..., Opened]]:
    """`opened(served, width=…)`: a page; no request may leave the machine, and the console must stay silent."""
    pages: list[Opened] = []

    def one(served: Served, **look: Any) -> Opened:
        pages.append(served.open(**look))
        return pages[-1]

    yield one
    for each in pages:
        each.page.context.close()
        assert each.hosts <= {urlsplit(each.base).netloc, ""}, "a request left the machine"
        assert each.complaints == [], json.dumps(each.complaints)
