"""Folder: what a phantom cohort is made from, whose folder it is, and how its files are written."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.errors import CohortError, SettingsError
from hepatica.cohort.phantom.outcomes import ENDPOINTS
from hepatica.cohort.phantom.population import Population

EndpointSet = Literal["usual", "all"]
"""Which endpoints, columns and tables a cohort has: its population's usual ones, or all that it can have."""

Missing = Literal["none", "mcar", "mar", "mnar"]
"""What is missing of the values of visits: nothing, or a share of them: of all alike (missing completely at random), of
older patients more (at random, given the age), or of higher values more (not at random)."""

TRUTH = "truth.json"
"""Every number the cohort was made from; written first, so that a folder says what it is before it is complete."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a phantom cohort is made from; `settings` are the rooms' own, by the folder of their files."""

    patients: int
    seed: int
    difficulty: float
    hospital: str
    population: Population
    endpoints: EndpointSet
    settings: Mapping[str, Any]
    missing: Missing = "none"
    version: str = version("hepatica")

    def check(self, *, hospitals: Collection[str]) -> None:
        """SettingsError where a number that every room has is out of range."""
        if self.patients < 1:
            raise SettingsError(f"got {self.patients} phantom patients, wanted 1 or more")
        if not 0 <= self.difficulty <= 1:
            raise SettingsError(f"got a difficulty of {self.difficulty}, wanted 0 (easy) to 1 (hard)")
        if self.hospital not in hospitals:
            raise SettingsError(f"got the phantom hospital {self.hospital!r}, wanted one of {', '.join(hospitals)}")
        if self.missing not in get_args(Missing):
            raise SettingsError(f"got {self.missing!r}, wanted missing values of {', '.join(get_args(Missing))}")
        if not 0 <= self.population.hcc_share <= 1:
            raise SettingsError(f"got a share of {self.population.hcc_share} with HCC, wanted 0 to 1")

    @property
    def declared(self) -> dict[str, Mapping[str, Any]]:
        """The endpoints of cohort.toml."""
        further = self.population.further if self.endpoints == "all" else ()
        return {name: ENDPOINTS[name] for name in (*self.population.usual, *further)}


def claim(folder: Path, recipe: Recipe) -> None:
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
