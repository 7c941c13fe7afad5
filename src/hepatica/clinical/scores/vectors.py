"""Vectors: each score compared with published results, those of vectors.toml and those of published files."""

import csv
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.clinical.scores.registry import SCORES, add_scores
from hepatica.cohort.errors import CohortError

STORED = "vectors.toml"
_MISSING = "missing"
_SPELT = {"gm/l": "g/L", "gm/dl": "g/dL", "nanogm/ml": "ng/mL", "a": "years", "1": ""}
"""Units of the gdl2 files that are not spelt as elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Vector:
    """One case: its inputs (columns, or quantities with `units`) and results by column; none where it is refused."""

    score: str
    inputs: Mapping[str, Any]
    results: Mapping[str, Any]
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Check:
    """How many of the vectors of one file a score meets; `wrong` says what is known to be wrong with the file."""

    score: str
    file: str
    met: int
    count: int
    missed: tuple[str, ...] = ()
    wrong: str = ""
    agree: int | None = None

    @property
    def passed(self) -> bool:
        """Whether all are met, or of a wrong file as many as agree with the paper."""
        return self.met == (self.count if self.agree is None else self.agree)


def check(names: Sequence[str] | None = None, *, data: Path | None = None) -> list[Check]:
    """The scores of these names, or all, compared with the stored vectors and with the published files in `data`.

    `data`: the folder of the files, which published_files.toml names; a file that is not there is passed over.
    """
    stored = [_compared(name, STORED, vectors) for name, vectors in _stored().items() if names is None or name in names]
    files = {} if data is None else published_files()
    return stored + [
        _compared(each["score"], file, list(_published(data / file, each)), each)
        for file, each in files.items()
        if data is not None and (names is None or each["score"] in names) and (data / file).is_file()
    ]


def published_files() -> dict[str, dict[str, Any]]:
    """What each published file tests, and where it has what."""
    return _toml("published_files.toml")


def _toml(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _stored() -> dict[str, list[Vector]]:
    return {name: list(_of_record(name, record)) for name, record in _toml(STORED).items()}


def _of_record(name: str, record: Mapping[str, Any]) -> Iterator[Vector]:
    """The vectors of a table, of which one or several inputs differ from the base, and the cases."""
    table = dict(record.get("table", {}))
    base = table.pop("base", {})
    if base:
        yield Vector(score=name, inputs=base, results={name: table.pop("result")})
    for column, rows in table.items():
        for value, result in rows:
            yield Vector(score=name, inputs={**base, column: value}, results={name: result})
    for *values, result in record.get("grid", {}).get("rows", ()):
        changed = dict(zip(record["grid"]["columns"], values, strict=True))
        yield Vector(score=name, inputs={**base, **changed}, results={name: result})
    for case in record.get("cases", ()):
        yield Vector(score=name, inputs=case["inputs"], results=case["results"])


def _published(path: Path, says: Mapping[str, Any]) -> Iterator[Vector]:
    """The vectors of a published file, by its ending."""
    text = path.read_text(encoding="utf-8-sig")
    for row in _READERS[path.suffix](text):
        inputs, units = dict(says.get("constant", {})), dict(says.get("units", {}))
        for code, quantity in says["inputs"].items():
            value, choice, _ = str(row[code]).partition("|")
            value, _, unit = (value, "", "") if choice else value.partition(",")
            inputs[quantity] = says.get("choices", {}).get(quantity, {}).get(value, value)
            units |= {quantity: _SPELT.get(unit, unit)} if unit else {}
        results = {column: _result(str(row[code]), says) for code, column in says["results"].items() if code in row}
        units = {quantity: unit for quantity, unit in units.items() if unit}
        yield Vector(score=says["score"], inputs=inputs, results=results, units=units)


def _result(cell: str, says: Mapping[str, Any]) -> Any:
    """A number as it is printed, a level by its number or code."""
    value = cell.partition(",")[0].removesuffix("%").removeprefix("local::").partition("|")[0]
    return says.get("codes", {}).get(value, value)


def _gdl2(text: str) -> Iterator[dict[str, str]]:
    """The inputs and results of each test case of a gdl2 file, by their codes."""
    for case in re.sub(r"\n\s+: ", ": ", text).split("\n- id:")[1:]:
        found = re.findall(r"^\s*\??\s*(gt\d+)\|.*?: +(\S.*)$", case.replace("?", " "), re.MULTILINE)
        yield dict(reversed(found))


_READERS: Mapping[str, Callable[[str], Iterable[Mapping[str, Any]]]] = {
    ".yml": _gdl2,
    ".csv": lambda text: csv.DictReader(text.splitlines()),
    ".json": lambda text: list(json.loads(text)["cases"]),
}


def _compared(name: str, file: str, vectors: Sequence[Vector], says: Mapping[str, Any] | None = None) -> Check:
    missed = [each for each in map(_difference, vectors) if each]
    says = says or {}
    return Check(
        score=name,
        file=Path(file).name,
        met=len(vectors) - len(missed),
        count=len(vectors),
        missed=tuple(missed),
        wrong=says.get("wrong", ""),
        agree=says.get("agree"),
    )


def _difference(vector: Vector) -> str:
    """What a score gives and a vector does not; empty where they agree."""
    table = pd.DataFrame([vector.inputs])
    columns = [column for column in vector.results if column in SCORES] or [vector.score]
    try:
        found = add_scores(table, names=columns, units=vector.units).iloc[0].to_dict()
    except CohortError as error:
        return "" if not vector.results else f"{dict(vector.inputs)}: {error}"
    if not vector.results:
        return f"{dict(vector.inputs)}: got {found}, wanted a refusal"
    wrong = [
        f"{column} got {found[column] if isinstance(found[column], str) else round(found[column], 4)}, wanted {each}"
        for column, each in vector.results.items()
        if not _agree(found[column], each)
    ]
    return f"{dict(vector.inputs)}: {'; '.join(wrong)}" if wrong else ""


def _agree(found: Any, wanted: Any) -> bool:
    """Whether they are the same, a number to half of its last decimal."""
    if wanted == _MISSING or pd.isna(found):
        return wanted == _MISSING and bool(pd.isna(found))
    if isinstance(found, str):
        return found == str(wanted)
    decimals = len(str(wanted).partition(".")[2])
    return bool(abs(float(found) - float(wanted)) <= 0.5 * 10.0**-decimals + 1e-9)
