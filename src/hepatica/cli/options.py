"""Options: arguments and options that several commands share, and how KEY=VALUE is read."""

import re
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hepatica.runs.engine import Engine


_FAR = re.compile(r"[a-z][a-z0-9+.-]+:/+.*[^/]/*", re.IGNORECASE)


def is_far(place: Path) -> bool:
    """Whether a path was given as a URL, by the rule of `remote.mirror.url_of`, which takes a second to import."""
    return bool(_FAR.fullmatch(str(place)))


def in_stores(command: Callable[..., None]) -> Callable[..., None]:
    """The command, which then takes URLs of stores for folders: it gets copies on this machine.

    OUT and RESULTS are written, and RUN where neither is given; all else is read.
    """

    @wraps(command)
    def run(**given: Any) -> None:
        given = {name: _local(value) for name, value in given.items()}
        far = {name: value for name, value in given.items() if any(map(is_far, _paths(value)))}
        if far:
            _refuse_several_machines(given)
        with ExitStack() as copies:
            written = [name for name in ("out", "results") if given.get(name) is not None] or ["run"]
            for name, value in far.items():
                from hepatica.cohort.remote.mirror import mirrored

                own = {"writing": name in written, "new": name != "run" or command.__name__ == "train"}
                found = [copies.enter_context(mirrored(each, **own)) for each in _paths(value)]
                given[name] = found if isinstance(value, list) else found[0]
            command(**given)

    return run


def _local(value: Any) -> Any:
    """A relative path with a colon as an absolute one: readers of tables would take what is before it for a store."""
    if not isinstance(value, Path) or value.is_absolute() or ":" not in str(value) or is_far(value):
        return value
    from hepatica.cohort.errors import SettingsError

    if str(value).partition(":")[0].lower() in ("s3", "s3a", "gs", "gcs", "az", "abfs", "http", "https"):
        raise SettingsError(f"got {value}, wanted a URL such as s3://BUCKET/KEY, or a folder of another name")
    return value.absolute()


def _paths(value: Any) -> list[Path]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, Path)]


def _refuse_several_machines(given: dict[str, Any]) -> None:
    from hepatica.cohort.errors import SettingsError

    shared = given.get("jobs") == "share" or given.get("machines", 1) > 1
    if shared or any("=" not in each and each != "local" for each in given.get("ray") or ()):
        raise SettingsError("got a URL of a store for several machines, wanted folders that all of them see")


def _a_cohort(folder: Path) -> Path:
    """Fail before seconds of imports; so does `_a_run`."""
    from hepatica.cohort.errors import CohortError

    if not is_far(folder) and not (folder / "cohort.toml").is_file():
        raise CohortError(f"{folder} is not a cohort folder: it has no cohort.toml; hepatica init makes one")
    return folder


def _a_run(folder: Path) -> Path:
    from hepatica.cohort.errors import RunError

    if not is_far(folder) and not (folder / "settings.toml").is_file():
        raise RunError(f"{folder} is not a run folder: it has no settings.toml; see hepatica train")
    return folder


Cohort = Annotated[
    Path,
    typer.Argument(
        help="Cohort folder: cohort.toml, patients.csv, specimens.csv; or the URL of one that hepatica wrote.",
        callback=_a_cohort,
    ),
]
Run = Annotated[
    Path, typer.Argument(help="Run folder, as written by hepatica train, or its URL in a store.", callback=_a_run)
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, for example epochs=20; repeatable."),
]
Reading = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override how specimens are read, for example tiles_per_specimen=65 for whole slides; repeatable. Settings"
        " locked with the model cannot be changed.",
    ),
]
Trainer = Annotated[
    list[str] | None,
    typer.Option(
        "--trainer", metavar="KEY=VALUE", help="Flag of Lightning's Trainer, for example devices=2; repeatable."
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Small networks and images, for a trial: minutes on two processor cores.")
]
JobsOf = Annotated[
    str,
    typer.Option(
        "--jobs",
        metavar="N|share",
        help="Processes that work on specimens at the same time. share: this one beside others of the same command,"
        " as an element of an array (hepatica slurm); it ends when no specimen is left.",
    ),
]
Ray = Annotated[
    list[str] | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Work on specimens by tasks of a Ray cluster at ADDRESS, or local. Also workers=8, and what each of them"
        " needs: cpus=2, gpus=0.5, memory_gb=8; repeatable.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def engine_of(jobs: str, ray: list[str] | None) -> "Engine":
    """Which processes work on specimens, by the options --jobs and --ray."""
    from hepatica.cohort.errors import SettingsError
    from hepatica.runs.engine import Engine

    if not (jobs == "share" or jobs.isdecimal()):
        raise SettingsError(f"--jobs: got {jobs!r}, wanted a number of processes, or share")
    address = [each for each in ray or [] if "=" not in each]
    shares = assignments([each for each in ray or [] if "=" in each])
    if len(address) > 1 or (shares and not address):
        raise SettingsError("--ray: wanted one address, or local, beside what its workers need")
    processes = 1 if jobs == "share" else int(jobs)
    return Engine(processes=processes, ray="".join(address), shares=shares, share=jobs == "share")


def texts(words: list[str] | None) -> dict[str, str]:
    """KEY=VALUE words as a mapping of text."""
    from hepatica.cohort.errors import SettingsError

    if wrong := [each for each in words or [] if "=" not in each]:
        raise SettingsError(f"got {wrong[0]!r}, wanted KEY=VALUE, such as epochs=20")
    return dict(each.split("=", 1) for each in words or [])


def assignments(words: list[str] | None) -> dict[str, Any]:
    """KEY=VALUE words as a mapping; a value is read as TOML, or as plain text if it is not TOML."""
    pairs: dict[str, Any] = {}
    for key, value in texts(words).items():
        try:
            pairs[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            pairs[key.strip()] = value.strip()
    return pairs
