"""Head: what cohort.toml declares of a cohort: its name, endpoints, attachments and further tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hepatica.cohort.atomic import parse_toml
from hepatica.cohort.endpoints import Endpoint, declared
from hepatica.cohort.errors import CohortError
from hepatica.cohort.faults import Faults, did_you_mean, slip_of
from hepatica.cohort.further_table import KINDS, UNITS, Codes, FurtherTable
from hepatica.cohort.named_files import inside, portable

FILE = "cohort.toml"

_KINDS: dict[str, tuple[type, str]] = {
    "name": (str, "text in quotes"),
    "hospital": (str, "text in quotes"),
    "notes": (str, "text in quotes"),
    "specimen_root": (str, "a folder in quotes"),
    "phantom": (bool, "true or false"),
    "missing": (list, 'a list of codes of unknown values, such as [-999, "NA"]'),
    "attachments": (list, 'a list of columns of specimens.csv, such as ["portal_phase"]'),
    "endpoints": (dict, "tables such as [endpoints.recurrence]"),
    "tables": (dict, "tables such as [tables.visits]"),
}


@dataclass(frozen=True, kw_only=True)
class Head:
    """The content of cohort.toml.

    `attachments` are columns of specimens.csv that name files, `missing` codes of unknown values in the other tables,
    None where nothing is said of them.
    """

    name: str = ""
    hospital: str = ""
    phantom: bool = False
    notes: str = ""
    specimen_root: str = "."
    missing: Codes | None = None
    attachments: tuple[str, ...] = ()
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    tables: Mapping[str, FurtherTable] = field(default_factory=dict)


def read_head(folder: Path, faults: Faults) -> Head:
    """What cohort.toml declares; every key that is unknown or of another type is a fault."""
    raw = _parsed(folder / FILE, faults)
    if raw is None:
        return Head()
    good: dict[str, Any] = {key: given for key, given in raw.items() if _is_known(key, given, faults)}
    if not raw.get("name"):
        faults.add(FILE, 'has no name; add a line such as name = "my_hospital"')
    good |= {key: tuple(good[key]) for key in ("attachments", "missing") if key in good}
    for key, read in (("endpoints", _endpoint), ("tables", partial(_table, folder, good.get("missing")))):
        found = {name: read(name, keys, faults) for name, keys in good.get(key, {}).items()}
        good[key] = {name: each for name, each in found.items() if each}
    return Head(**good)


def _is_known(key: str, given: Any, faults: Faults) -> bool:
    if key not in _KINDS:
        faults.add(FILE, f"has the unknown key {key!r}; {did_you_mean(key, _KINDS, known='known keys are')}")
        return False
    kind, wanted = _KINDS[key]
    member = _is_code if key == "missing" else _is_text
    right = isinstance(given, kind) and (not isinstance(given, list) or all(map(member, given)))
    if not right:
        faults.add(FILE, f"key {key!r}: got {given!r}, wanted {wanted}")
    elif key == "specimen_root" and not inside(given):
        faults.add(FILE, f"specimen_root {given!r} leaves the cohort folder; use a folder or link inside it")
    return right


def _parsed(path: Path, faults: Faults) -> dict[str, Any] | None:
    if not path.is_file():
        faults.add(path.name, "is missing")
        return None
    try:
        return parse_toml(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        faults.add(path.name, f"is not valid TOML: {error}")
        return None


def _endpoint(name: str, keys: Any, faults: Faults) -> Endpoint | None:
    place = f"[endpoints.{name}]"
    if not name.isidentifier():
        faults.add(FILE, f"{place}: wanted a name of letters, digits and underscores")
    if not _is_right(place, keys, _ENDPOINT_KEYS, faults):
        return None
    if "time" in keys and keys["time"] == keys.get("event"):
        faults.add(FILE, f"{place}: got {keys['time']!r} for time and for event, wanted two columns")
    try:
        return declared(name, keys=keys)
    except CohortError as error:
        slips = [
            f"; {key}: did you mean {near}?" for key in keys if (near := slip_of(key, _ENDPOINT_KEYS)) != key and near
        ]
        faults.add(FILE, f"{place}: {str(error).removeprefix(f'endpoint {name}: ')}{''.join(slips)}")
        return None


def _table(folder: Path, missing: Codes | None, name: str, keys: Any, faults: Faults) -> FurtherTable | None:
    place = f"[tables.{name}]"
    if not _is_right(place, keys, _TABLE_KEYS, faults):
        return None
    if keys.keys() - {"names"} not in ({"path", "patient"}, {"path", "patient", "time", "unit"}, _MATRIX) or (
        "names" in keys and "kind" not in keys
    ):
        got = ", ".join(keys) or "none"
        wanted = "path and patient, and time and unit where it has a time, or kind (and names) where it is a matrix"
        faults.add(FILE, f"{place}: got the keys {got}, wanted {wanted}")
        return None
    files = {key: folder / portable(keys[key]) for key in ("path", "names") if key in keys}
    return FurtherTable(name=name, missing=missing, **keys | files)


def _is_right(place: str, keys: Any, rules: Mapping[str, tuple[Callable[[Any], bool], str]], faults: Faults) -> bool:
    """Whether each known key has a value of its kind; what else is wrong is for the caller to say."""
    if not isinstance(keys, dict):
        faults.add(FILE, f"{place}: got {keys!r}, wanted the keys of a table, such as {next(iter(rules))}")
        return False
    wrong = [key for key in keys if key in rules and not rules[key][0](keys[key])]
    for key in wrong:
        faults.add(FILE, f"{place} {key}: got {keys[key]!r}, wanted {rules[key][1]}")
    return not wrong


def _is_text(given: Any) -> bool:
    return isinstance(given, str) and given.strip() != ""


def _is_code(given: Any) -> bool:
    return _is_text(given) or (isinstance(given, int | float) and not isinstance(given, bool))


def _are_classes(given: Any) -> bool:
    return isinstance(given, list) and all(map(_is_text, given)) and 1 < len(set(given)) == len(given)


_COLUMN = (_is_text, "a column name in quotes")
_ENDPOINT_KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("time", "event", "label", "lesion", "value", "mask"), _COLUMN),
    "classes": (_are_classes, 'a list of two or more names, such as ["cyst", "hcc"]'),
    "ordered": (lambda given: isinstance(given, bool), "true or false"),
    "unit": (_is_text, 'a unit in quotes, such as "kPa"'),
}
_TABLE_KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("path", "names"), (lambda given: _is_text(given) and inside(given), "a file inside the cohort folder")
    ),
    **dict.fromkeys(("patient", "time"), _COLUMN),
    "unit": (lambda given: given in (*UNITS,), f"one of {', '.join(UNITS)}"),
    "kind": (lambda given: given in (*KINDS,), f"one of {', '.join(KINDS)}"),
}
_MATRIX = {"path", "patient", "kind"}
