"""Faults: what is wrong with a hand-made table, named by file, row and column, counted and put into one message."""

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort.errors import CohortError

MOST_SHOWN, MOST_OF_A_COLUMN, MOST_NAMED = 20, 5, 5
"""A message has at most so many faults, so many of one column, and so many rows or names in a list. Ours."""

_NEAR = 0.88
"""Names at least this alike (ratio of difflib) are taken for a slip. Ours."""


@dataclass
class Faults:
    """Faults found so far; raised together, so that a table is corrected in one go. `len` counts them, each row one."""

    _rows: dict[tuple[str, str, str], dict[int, str]] = field(default_factory=dict)

    def add(self, file: str, message: str, row: Any = None, column: str = "", got: str = "") -> None:
        """Note one fault, once; `row` counts as a spreadsheet does, the header being row 1.

        Rows of one column with one message are one sentence, in which `{got}` becomes what each of them has.
        """
        rows = self._rows.setdefault((file, column, message), {})
        rows |= {} if row is None else {row: got}

    def add_cells(self, file: str, cells: pd.Series, *, wanted: str) -> None:
        """Note a fault of each of these cells of a column, indexed by row."""
        for row, cell in cells.items():
            self.add(file, f"got {{got}}, wanted {wanted}", row, str(cells.name), got=repr(cell))

    def __len__(self) -> int:
        return sum(max(1, len(rows)) for rows in self._rows.values())

    def sentences(self, *, of_all: int = MOST_SHOWN, of_a_column: int = MOST_OF_A_COLUMN) -> list[str]:
        """The first faults of all and of each column, a sentence each; the last sentence counts the others."""
        shown: list[str] = []
        seen, hidden = Counter[str](), Counter[str]()
        for (file, column, message), rows in self._rows.items():
            place = f"{file} column {column}" if column else file
            seen[place] += 1
            if len(shown) == of_all or (column and seen[place] > of_a_column):
                hidden[place] += max(1, len(rows))
                continue
            where = f" {rows_in_words(rows)}" if rows else ""
            where += f" column {column}" if column else ""
            text = message.replace("{got}", listed(dict.fromkeys(rows.values())))
            shown.append(f"{file}{where}{':' if where else ''} {text}")
        if hidden:
            places = [f"{count} in {place}" for place, count in hidden.most_common(MOST_NAMED)]
            shown.append(f"and {hidden.total()} more ({listed(places)})")
        return shown

    def __str__(self) -> str:
        return "; ".join(self.sentences())

    def raise_if_any(self, place: Path | str) -> None:
        """Raise CohortError with all faults; do nothing when there are none."""
        if self:
            raise CohortError(f"{place} has {'1 fault' if len(self) == 1 else f'{len(self)} faults'}: {self}")


def rows_in_words(rows: Iterable[int]) -> str:
    """The first rows by number, the others counted: `rows 3, 4, 5, 6, 7 and 2 more`."""
    named = list(map(str, rows))
    return ("row " if len(named) == 1 else "rows ") + listed(named)


def listed(names: Iterable[str]) -> str:
    """The first names, the others counted."""
    every = list(names)
    more = len(every) - MOST_NAMED
    return ", ".join(every[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def did_you_mean(name: str, names: Iterable[str], *, near: float = 0.6, known: str = "it has") -> str:
    """The name that is most like a wrong one, as a question; where none is, all of them after the words `known`."""
    by_lower = {each.lower(): each for each in names}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=near)
    return f"did you mean {by_lower[found[0]]}?" if found else f"{known} {listed(by_lower.values())}"


def slip_of(name: str, known: Iterable[str]) -> str | None:
    """The known name of which this one is a slip: another case, other signs between words, a letter or two."""
    plain = {_plain(each): each for each in known}
    found = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=_NEAR)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))
