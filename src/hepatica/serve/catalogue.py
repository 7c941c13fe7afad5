"""Catalogue: the run folders and cohort folders that a workbench may use, by names that lead nowhere else."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from hepatica.runs import RunFolder, read_settings
from hepatica.serve.refusals import NotFoundError
from hepatica.serve.settings import Settings
from hepatica.systems import listed

DEPTH = 2
"""Folders below the one that is named in which runs and cohorts are looked for."""


def runs(settings: Settings) -> dict[str, Path]:
    """Run folders by name; those that the workbench trained itself are in `data`/runs."""
    return _found([settings.runs, settings.data / "runs"], mark="settings.toml")


def cohorts(settings: Settings) -> dict[str, Path]:
    """Cohort folders by name."""
    return _found([settings.cohorts] if settings.cohorts else [], mark="cohort.toml")


def find_run(settings: Settings, name: str) -> Path:
    """The run folder of that name; NotFoundError where there is none."""
    return _one(runs(settings), name, what="run")


def find_cohort(settings: Settings, name: str) -> Path:
    """The cohort folder of that name; NotFoundError where there is none."""
    return _one(cohorts(settings), name, what="cohort")


def folder_of(settings: Settings, name: str) -> Path:
    """Where the workbench itself trains a run, or does a study, of this name."""
    return settings.data / "runs" / name


def modality_of(run: Path) -> str:
    """What the system of a run reads, such as slide or ct."""
    head = read_settings(RunFolder(run))
    return listed()[head["system"]].modality if head["system"] in listed() else "other"


def _one(found: dict[str, Path], name: str, *, what: str) -> Path:
    if name not in found:
        raise NotFoundError(f"there is no {what} of that name; ask for the list of them")
    return found[name]


def _found(roots: Iterable[Path], *, mark: str) -> dict[str, Path]:
    return {name: path for root in roots for name, path in _below(root.resolve(), mark)}


def _below(root: Path, mark: str) -> Iterator[tuple[str, Path]]:
    if (root / mark).is_file():
        yield root.name, root
        return
    for depth in range(1, DEPTH + 1):
        for path in sorted(root.glob("/".join("*" * depth) + f"/{mark}")):
            folder = path.parent
            if not any(each.name.startswith(".") for each in [folder, *folder.relative_to(root).parents]):
                yield "--".join(folder.relative_to(root).parts), folder
