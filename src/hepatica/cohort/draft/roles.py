"""Roles: what each column of a hospital's table is, by its name, or nearly, and by what its cells hold."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from hepatica.cohort.atomic import parse_toml
from hepatica.cohort.draft.dates import are_dates
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.faults import did_you_mean

NEAR, SHORTEST = 0.87, 6
"""Names at least this alike (ratio of difflib), and at least so long, are taken for each other. Ours."""

_SUFFIXES = {"dates": "_date", "times": "_time", "events": "_event", "inverted": "_event"}
_UNITS = ("days", "weeks", "months", "years")


@dataclass(frozen=True, kw_only=True)
class Role:
    """`kind` is a table of columns.toml, `name` a line of it."""

    kind: str
    name: str

    @property
    def key(self) -> str:
        """By what `--set` and the mapping that is shown call it."""
        return self.name + _SUFFIXES.get(self.kind, "")


def roles(table: pd.DataFrame, *, given: Mapping[str, str] | None = None) -> dict[str, Role]:
    """The role of each column that has one, by its name; of two columns for one role the better, or the first, has it.

    `given` names the columns of roles by their key. SettingsError where it names a role or a column that is not there.
    """
    every = {role.key: role for role in _every() if role.kind != "inverted"}
    found = {}
    for key, column in (given or {}).items():
        if key not in every:
            raise SettingsError(f"got the role {key!r}; {did_you_mean(key, every, known='roles are')}")
        if column not in table.columns:
            raise SettingsError(f"the table has no column {column!r}; {did_you_mean(column, table.columns)}")
        found[column] = every[key]
    wanted = [(alike, name, role) for name in table.columns for alike, role in _fitting(name, table[name])]
    for _, name, role in sorted(wanted, key=lambda each: -each[0]):
        taken = role.kind != "identifiers" and role.key in {each.key for each in found.values()}
        if name not in found and not taken:
            found[name] = role
    return {name: found[name] for name in table.columns if name in found}


def plain(name: str) -> str:
    """A name without case, accents and signs, nor what is in brackets."""
    bare = unicodedata.normalize("NFKD", re.sub(r"[(\[{].*?[)\]}]", " ", name) or name)
    bare = "".join(each for each in bare if not unicodedata.combining(each)).replace("ß", "ss")
    bare = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", bare)
    return " ".join(re.findall(r"[^\W_]+", bare.lower()))


def unit(name: str) -> str | None:
    """The unit of time in a column's name."""
    signs = set(re.findall(r"[^\W_]+", name.lower()))
    return next((each for each in _UNITS if signs & set(words(each))), None)


def yes_no(cells: pd.Series) -> pd.Series:
    """1 for yes, 0 for no, missing for what is neither."""
    said = meant(cells).map(lambda cell: " ".join(re.findall(r"[^\W_]+", cell.lower())))
    return pd.Series(pd.NA, cells.index, "Int64").mask(said.isin(words("yes")), 1).mask(said.isin(words("no")), 0)


def meant(cells: pd.Series) -> pd.Series:
    """Cells with the words that the column's name gives for codes, as "status (0=dead, 1=alive)" does."""
    legend = dict(re.findall(r"\b(\d)\s*[=:]\s*([^\W\d_]+)", str(cells.name)))
    known = {*words("yes"), *words("no")}
    return cells.replace({code: word for code, word in legend.items() if word.lower() in known})


def words(kind: str) -> list[str]:
    """The words for a unit, yes or no."""
    return list(_known()["words"][kind])


@cache
def _known() -> dict[str, Any]:
    return parse_toml(files("hepatica.cohort.draft").joinpath("columns.toml").read_text(encoding="utf-8"))


def _every() -> Iterable[Role]:
    return (Role(kind=kind, name=name) for kind, lines in _known().items() if kind != "words" for name in lines)


def _fitting(name: str, cells: pd.Series) -> Iterable[tuple[float, Role]]:
    """Every role that the name and the cells allow, and how alike the name is, up to 1."""
    bare = plain(name)
    timeless = " ".join(each for each in bare.split() if each not in {w for unit in _UNITS for w in words(unit)})
    for role in _every():
        known = [plain(each) for each in _known()[role.kind][role.name]]
        asked = timeless if role.kind == "times" else bare
        alike = _alike(asked, known, anywhere=role.kind == "identifiers")
        if alike and _holds(role.kind, role.name, name, cells[cells != ""]):
            yield alike, role


def _alike(bare: str, known: list[str], *, anywhere: bool) -> float:
    if bare in known:
        return 1 - known.index(bare) / 1000  # of two dates that may be the index date, the one listed first
    if anywhere and any(f" {each} " in f" {bare} " if each.isascii() else each in bare for each in known if each[1:]):
        return 0.95
    long = [each for each in known if min(len(each), len(bare)) >= SHORTEST]
    best = max((difflib.SequenceMatcher(None, bare, each).ratio() for each in long), default=0.0)
    return best if best >= NEAR else 0.0


def _holds(kind: str, role: str, name: str, filled: pd.Series) -> bool:
    """Whether the cells of a column are those of a role of that kind."""
    match kind:
        case "dates":
            return filled.empty or are_dates(filled)
        case "times":
            numbers = pd.to_numeric(filled, errors="coerce")
            return bool(numbers.notna().mean() > 0.5 and (unit(name) or numbers.nunique() > 3))
        case "events" | "labels" | "inverted":
            signs = {*meant(filled)}
            codes = kind == "events" and signs <= {"0", "1", "2"} and "0" in signs  # 1 and 2 may stand for either
            return codes or bool(len(filled) and "2" not in signs and yes_no(filled).notna().mean() > 0.8)
        case "keys" if role == "patient_id":
            return bool(filled.str.contains(r"\d").mean() > 0.5)  # and no names of patients
        case _:
            return True
