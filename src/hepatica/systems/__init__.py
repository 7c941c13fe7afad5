"""Systems: the gallery of published systems, one file each; a record in a file is all it takes to be registered."""

import difflib
import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from hepatica.cohort.errors import SettingsError
from hepatica.protocol import System

__all__ = ["all_systems", "find_system"]


@cache
def all_systems() -> dict[str, System[Any, Any]]:
    """Every System record of every file of this room, by name, in alphabetical order."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    records = [each for module in modules for each in vars(module).values() if isinstance(each, System)]
    return {record.name: record for record in sorted(records, key=lambda record: record.name)}


def find_system(name: str) -> System[Any, Any]:
    """The system of that name; SettingsError with the nearest names when there is none."""
    systems = all_systems()
    if name not in systems:
        near = difflib.get_close_matches(name, systems, n=3, cutoff=0.3) or list(systems)
        raise SettingsError(
            f"got the unknown system {name!r}, wanted one such as {', '.join(near)}; see hepatica systems"
        )
    return systems[name]
