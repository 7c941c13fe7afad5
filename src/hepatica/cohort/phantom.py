"""Phantom: what the folders of phantom cohorts of all rooms have in common: recipe, claim, head, tables."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd

from hepatica import __version__
from hepatica.cohort.atomic import read_json, replacing, write_json
from hepatica.cohort.errors import CohortError, SettingsError

S = TypeVar("S")
"""A room's frozen settings of its phantom."""

TRUTH = "truth.json"
"""Every number the cohort was made from; written first, so that a folder says what it is before it is complete."""


@dataclass(frozen=True, kw_only=True)
class Recipe(Generic[S]):
    """What a phantom cohort is made from."""

    patients: int
    seed: int
    difficulty: float
    hospital: str
    settings: S
    version: str = __version__

    def check(self, *, hospitals: Collection[str]) -> None:
        """SettingsError where a number that every room has is out of range."""
        if self.patients < 1:
            raise SettingsError(f"got {self.patients} phantom patients, wanted 1 or more")
        if not 0 <= self.difficulty <= 1:
            raise SettingsError(f"got a difficulty of {self.difficulty}, wanted 0 (easy) to 1 (hard)")
        if self.hospital not in hospitals:
            raise SettingsError(f"got the phantom hospital {self.hospital!r}, wanted one of {', '.join(hospitals)}")


def claim(folder: Path, recipe: Recipe[Any]) -> None:
    """Make sure the folder is empty or holds this cohort, begun or done, and mark it; CohortError otherwise."""
    wanted = json.loads(json.dumps(asdict(recipe)))  # tuples become the lists that JSON gives back
    if (folder / TRUTH).exists():
        there = read_json(folder / TRUTH)
        differing = [name for name in wanted if there.get(name) != wanted[name]]
        if differing:
            raise CohortError(
                f"{folder} holds a phantom cohort made with another {' and '.join(differing)}; "
                "choose an empty folder or remove this one"
            )
    elif folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise CohortError(f"{folder} is not empty and holds no phantom cohort; choose an empty folder")
    else:
        write_json(folder / TRUTH, wanted)


def head(
    recipe: Recipe[Any], *, root: str, made: str, truth: str, endpoints: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """cohort.toml of a cohort whose files, `made` such as "pictures", lie in `root`; `truth` is not for models."""
    return {
        "name": f"phantom_{recipe.hospital}",
        "phantom": True,
        "hospital": recipe.hospital,
        "specimen_root": root,
        "notes": (
            f"Phantom: simulated patients and {made}, no real ones. Seed {recipe.seed}, "
            f"difficulty {recipe.difficulty}. The truth is in {truth}; no model may read it."
        ),
        "endpoints": {name: dict(columns) for name, columns in endpoints.items()},
    }


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a CSV that is the same, byte for byte, on every system."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
