"""Ranks: a training's fits by several processes, which end in the work folder of the run, where `train` finds them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from hepatica.cohort import Cohort, RunError, Split
from hepatica.cohort.atomic import read_json, write_json
from hepatica.learn.launch import Meeting, launch
from hepatica.protocol import System, Training, as_plain, from_plain
from hepatica.runs.engine import Shared
from hepatica.runs.folder import RunFolder
from hepatica.runs.inputs import cohort_as_plain, cohort_from_plain
from hepatica.runs.spread import without_lost
from hepatica.systems import find_system, reference


def training_of(
    folder: RunFolder,
    system: System[Any, Any],
    cohort: Cohort,
    settings: Any,
    *,
    network: Any,
    material: Any,
    trainer: Mapping[str, Any],
) -> Training[Any, Any]:
    """What a system's `train` is given, the split read from the run folder."""
    return Training(
        network=network,
        material=material,
        cohort=cohort,
        split=Split.read(folder.split),
        settings=settings,
        folder=folder.work,
        trainer=trainer,
        task=system.tasks(settings)[0],
        augment=system.augmentation(settings),
    )


def fit_by_ranks(
    folder: RunFolder,
    system: System[Any, Any],
    cohort: Cohort,
    settings: Any,
    *,
    trainer: Mapping[str, Any],
    prepared: Path,
    processes: int,
    meeting: Meeting | None,
) -> None:
    """Let `processes` of this machine, and those of a `meeting`, do the fits of `system.train`; the split and what is
    prepared are there.
    """
    if meeting is not None:
        meeting.refuse_used()
    file = _file(folder)
    plain = {
        "run": str(folder.path.absolute()),
        "reference": reference(system, settings=settings),
        "settings": as_plain(settings),
        "cohort": cohort_as_plain(cohort),
        "trainer": dict(trainer),
        "prepared": str(prepared.absolute()),
    }
    write_json(file, plain)
    launch(_code(file), processes=processes, meeting=meeting)


def join(folder: RunFolder, *, processes: int, meeting: Meeting, check: Callable[[], None]) -> NoReturn:
    """Do the fits together with the machine that the others meet at, which does all else, and raise `Shared`.

    `check` is called when that machine has begun the run.
    """
    over = meeting.wait(over=folder.model.exists)
    if not folder.settings.exists():
        raise RunError(f"{folder.path} is not there; all machines must see it by the same path")
    check()
    if not over:
        launch(_code(_file(folder)), processes=processes, meeting=meeting)
    raise Shared(f"the networks are fitted; {meeting.host} locks the model")


def _file(folder: RunFolder) -> Path:
    return folder.work.absolute() / "ranks.json"


def _code(file: Path) -> str:
    return f"from hepatica.runs.ranks import of_rank; of_rank({str(file)!r})"


def of_rank(file: str) -> None:
    """In one of the processes: the fits, and nothing after them."""
    plain = read_json(Path(file))
    system, cohort = find_system(plain["reference"]), cohort_from_plain(plain["cohort"])
    settings = from_plain(system.settings, plain["settings"])
    network = system.build(settings, pretrained=True)
    material = without_lost(system, cohort, settings, Path(plain["prepared"]))
    own: dict[str, Any] = {"network": network, "material": material, "trainer": plain["trainer"]}
    system.train(training_of(RunFolder(Path(plain["run"])), system, cohort, settings, **own))
