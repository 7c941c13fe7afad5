"""Run folder: settings, split, locked model and results of one training, in files a person can open."""

import json
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tomli_w

from hepatica.cohort import Cohort, RunError
from hepatica.cohort.atomic import parse_toml, write_text
from hepatica.protocol import System, as_plain
from hepatica.runs.in_use import LOCK

FORMAT = 4
"""Version of the run folder's layout; raised when an older reader would misread a newer folder."""

CONTENTS = "contents.json"
"""Digests of the specimens' files, in the folder of a run and beside the results of a cohort."""

SPECIMENS = "specimens.csv"
"""What was read of each specimen, how it went, and what the system says of it beside its score."""

NAMES = "names.csv"
"""Which file each row is; written on request alone, for names may identify a patient."""

READERS = "readers.csv"
"""Readings of the patients of a cohort by readers, in its folder and, as they now are, beside the model's results."""

COMPARATORS = "comparators.parquet"
"""What `System.comparators` says of every patient."""

IMPORTANCE = "importance.json"
"""Which variables the score depends on, of systems that read tables; in `explained` beside the results."""

_PACKAGES = ("hepatica", "torch", "timm", "lightning", "numpy", "pandas", "scikit-learn", "lifelines")


@dataclass(frozen=True)
class RunFolder:
    """Names of the files of a run."""

    path: Path

    @property
    def settings(self) -> Path:
        """System, settings, versions, cohort: TOML."""
        return self.path / "settings.toml"

    @property
    def split(self) -> Path:
        """Fold of each patient: CSV."""
        return self.path / "splits.csv"

    @property
    def weights(self) -> Path:
        """Weights of the locked model: safetensors."""
        return self.path / "model.safetensors"

    @property
    def model(self) -> Path:
        """What locks the model: digests of weights, settings and cut-offs, digests of the patients it has seen."""
        return self.path / "model.json"

    @property
    def cutoffs(self) -> Path:
        """Cut-off of each target, fixed on training patients: JSON."""
        return self.path / "cutoffs.json"

    @property
    def domain(self) -> Path:
        """What the training specimens measured, by which others are judged: JSON."""
        return self.path / "domain.json"

    @property
    def contents(self) -> Path:
        """Digest of each specimen's files as they were when the training began, by row of specimens.csv: JSON."""
        return self.path / CONTENTS

    @property
    def prepared(self) -> Path:
        """Prepared specimens (tiles), one file a specimen."""
        return self.path / "prepared"

    @property
    def work(self) -> Path:
        """Training checkpoints, from which a killed training resumes."""
        return self.path / "work"

    def log(self, event: str, **facts: Any) -> None:
        """Append one line to log.jsonl; facts are counts and names of steps, never identifiers."""
        line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event} | facts
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")


def start_run(folder: RunFolder, *, reference: str, system: System[Any, Any], settings: Any, cohort: Cohort) -> None:
    """Write settings.toml, or find it saying the same; RunError when the folder belongs to another training.

    `reference` is by what the system is found again.
    """
    head = {
        "format": FORMAT,
        "system": system.name,
        "reference": reference,
        "cohort": {"name": cohort.name, "digest": cohort.digest},
        "settings": as_plain(settings),
    }
    if not folder.settings.exists():
        _refuse_strangers(folder)
        versions = {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
        write_text(folder.settings, tomli_w.dumps(head | {"versions": versions}))
        folder.log("started", system=system.name)
        return
    written, head = read_settings(folder), parse_toml(tomli_w.dumps(head))  # in a file, tuples are lists
    for key in ("reference", "settings"):
        if written[key] != head[key]:
            raise RunError(
                f"{folder.path} was started with {_difference(written[key], head[key])}; choose a new --run folder, or"
                " repeat the command it was started with"
            )
    if written["cohort"]["digest"] != cohort.digest:
        raise RunError(f"{folder.path} was started on cohort tables that have changed since; choose a new --run folder")


def _refuse_strangers(folder: RunFolder) -> None:
    own = (LOCK, folder.prepared.name)  # the second by processes that shared the specimens out, before a run begins
    if folder.path.is_dir() and any(each.name not in own for each in folder.path.iterdir()):
        raise RunError(f"{folder.path} is not empty and not a run folder; choose a new or an empty folder")


def _difference(written: Any, wanted: Any) -> str:
    if not isinstance(written, dict):
        return f"{written!r}, not {wanted!r}"
    keys = [key for key in sorted(written.keys() | wanted.keys()) if written.get(key) != wanted.get(key)]
    return ", ".join(f"{key} = {written.get(key)!r}, not {wanted.get(key)!r}" for key in keys)


def read_settings(folder: RunFolder) -> dict[str, Any]:
    """What settings.toml says; RunError when it is absent, unreadable or of another format."""
    try:
        head = parse_toml(folder.settings.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(
            f"{folder.path} is not a run folder: it has no {folder.settings.name}; see hepatica train"
        ) from None
    except ValueError as error:
        raise RunError(f"{folder.settings} is not valid TOML: {error}") from None
    refuse_other_format(folder, head)
    return head


def refuse_other_format(folder: RunFolder, head: dict[str, Any]) -> None:
    """Raise RunError when a file of the run says it was written in another format."""
    if head.get("format") != FORMAT:
        raise RunError(
            f"{folder.path} has run-folder format {head.get('format')}, this hepatica reads"
            f" format {FORMAT}; use the version in its [versions] table, or train again"
        )
