"""Study: all analyses of a paper, from cohorts to one report; done step by step and never done twice."""

import difflib
import pkgutil
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console

import hepatica.studies
from hepatica.cohort import load_cohort, refuse_overlap
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.seal import refuse_altered_below, sealing
from hepatica.report import Chapter, write_pages
from hepatica.report.page import Run


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the steps of a study work on: the cohort's folder, external ones by the name of their results, settings.

    `run` is the folder of the study, `trainer` are flags of Lightning's Trainer, `jobs` how many trainings that do not
    depend on each other run side by side.
    """

    cohort: Path
    run: Path
    external: Mapping[str, Path]
    settings: Any
    trainer: Mapping[str, Any] = field(default_factory=dict)
    jobs: int = 1

    def say(self, step: str) -> None:
        """Print which step begins."""
        Console(stderr=True).print(f"study: {step}", highlight=False)

    def once(self, path: Path, made: Callable[[], pd.DataFrame], *, step: str) -> None:
        """Write the table that `made` makes to `path`, unless it is there already; never half of it."""
        if path.exists():
            return
        self.say(step)
        table = made()
        with sealing(path) as temporary:
            table.to_parquet(temporary, index=False)

    def side_by_side(self, do: Callable[["Work", str], None], names: Iterable[str]) -> None:
        """Call `do`, a function of a module, with this work and each name; each in a process of its own where there are
        several jobs, which share the processor's threads. The first error ends them all.
        """
        if self.jobs == 1:
            for name in names:
                do(self, name)
            return
        threads = max(1, torch.get_num_threads() // self.jobs)
        processes = get_context("spawn")  # torch's threads do not survive a fork
        with ProcessPoolExecutor(self.jobs, processes, initializer=_begin, initargs=(threads,)) as pool:
            try:
                for each in as_completed([pool.submit(do, self, name) for name in names]):
                    each.result()
            except BaseException:  # a signal too: each goes on after its last checkpoint when the study is resumed
                for process in active_children():
                    process.kill()
                raise

    def results(self, run: Path) -> dict[Path, Path]:
        """Where the results of a run in each cohort lie: its own folder and those of its validations, to the cohort."""
        return {run: self.cohort} | {run / "external" / name: folder for name, folder in self.external.items()}


def _begin(threads: int) -> None:
    """In a new process: that many threads, and Ctrl-C left to the process that began it."""
    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A paper's analyses. `steps` does them, each once; `chapters` reads the folder for the report.

    `quick` are settings for minutes on two cores. `check` raises, before hours of training, where an input cannot be
    used.
    """

    settings: Any
    quick: Any
    steps: Callable[[Work], None]
    chapters: Callable[[Path], tuple[Run, Sequence[Chapter]]]
    check: Callable[[Work], None] = lambda work: None


def study_names() -> list[str]:
    """Names of all studies: those of the systems they are about."""
    return [found.name for found in pkgutil.iter_modules(hepatica.studies.__path__) if found.ispkg]


def find_study(name: str) -> Study:
    """The study of that system, which the beginning of its name is enough for, imported alone; SettingsError with the
    nearest names where there is none.
    """
    names = study_names()
    begun = [each for each in names if each.startswith(name)]
    name = begun[0] if len(begun) == 1 else name
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.3) or names
        raise SettingsError(f"got the unknown study {name!r}, wanted one such as {', '.join(near)}")
    found: Study = import_module(f"hepatica.studies.{name}.study").STUDY
    return found


def run_study(
    name: str,
    cohort: Path,
    *,
    run: Path,
    external: Sequence[Path] = (),
    settings: Any = None,
    trainer: Mapping[str, Any] | None = None,
    jobs: int = 1,
) -> Path:
    """Do all steps of a study in the folder `run`, and return it; what was done there before is not done again.

    `external` are cohort folders to validate on; one that lacks the endpoint, or shares patients with `cohort`, is
    refused before training (CohortError). `jobs` trainings run side by side, where a study has such; a script that asks
    for several needs `if __name__ == "__main__"`. Raises what training and validating raise, and RunError where `run`
    belongs to another study.
    """
    study = find_study(name)
    settings = settings or study.settings
    check_external(external, cohort=cohort, endpoint=settings.endpoint)
    named = dict(zip(external_names(external), external, strict=True))
    work = Work(cohort=cohort, run=run, external=named, settings=settings, trainer=trainer or {}, jobs=jobs)
    refuse_altered_below(run)
    study.check(work)
    study.steps(work)
    return run


def write_study_report(name: str, folder: Path) -> Path:
    """Write `report.html`, `card.md`, `figures/` and `tables/` of a study done in `folder`; its page.

    A page newer than everything the study found is left as it is. RunError where the study is unfinished or altered.
    """
    refuse_altered_below(folder)
    page = folder / "report.html"
    if page.exists() and page.stat().st_mtime >= max(_written(folder)):
        return page
    run, chapters = find_study(name).chapters(folder)
    return write_pages(folder, run=run, chapters=chapters)


def _written(folder: Path) -> list[float]:
    return [path.stat().st_mtime for path in folder.rglob("*") if path.suffix in (".json", ".parquet", ".csv")]


def check_external(folders: Sequence[Path], *, cohort: Path, endpoint: str) -> None:
    """CohortError where one of them lacks the endpoint or shares patients with `cohort`: before hours of training."""
    own = load_cohort(cohort)
    for folder in folders:
        other = load_cohort(folder)
        other.endpoint(endpoint)
        if other.hospital == own.hospital:
            ids, others = set(own.patients.index), set(other.patients.index)
            refuse_overlap(ids, others, first=f"the cohort {own.name}", second=f"the external cohort {other.name}")


def external_names(folders: Sequence[Path]) -> list[str]:
    """Where the results of each go: the name of its folder, numbered where two have the same."""
    found = [each.resolve().name for each in folders]
    return [name if found.count(name) == 1 else f"{name}_{place}" for place, name in enumerate(found, start=1)]
