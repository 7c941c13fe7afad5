"""Compared: which methods and kinds of specimens the chapters on quantification compare, and their tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from hepatica.report.page import Run, Table


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a method is called and drawn."""

    name: str
    colour: str
    line: str = "-"
    marker: str = "o"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What is compared: `methods` and `kinds` of specimens by their name in the tables, `pairs` of methods.

    `reference` is the method of no prior; `own` the kind of specimen for which the bounds hold; `level` the P that a
    difference must not exceed. `about`, `claim`, `bounds`, `intervals` and `sweeps` are the texts of the chapters,
    `training` says what the networks were trained on.
    """

    methods: Mapping[str, Method]
    kinds: Mapping[str, str]
    pairs: Sequence[tuple[str, str]]
    reference: str
    own: str
    level: float
    about: str
    claim: str
    bounds: str
    intervals: str
    sweeps: str
    training: Callable[[Run], str]

    @property
    def titles(self) -> list[str]:
        """Heads of the pairs."""
        return [f"{self.methods[first].name} vs. {self.methods[second].name}" for first, second in self.pairs]

    def among(self, table: pd.DataFrame) -> list[str]:
        """Methods of a table, in their order."""
        return [name for name in self.methods if name in set(table["method"])]

    def heads(self, table: pd.DataFrame) -> list[str]:
        """Names of the methods of a table."""
        return [self.methods[name].name for name in self.among(table)]

    def by_method(
        self, table: pd.DataFrame, cell: Callable[[pd.DataFrame], str], *, caption: str, note: str = ""
    ) -> Table:
        """A row a target, a cell a method."""
        rows = [
            [target, *(cell(own[own["method"] == name]) for name in self.among(table))]
            for target, own in by_target(table)
        ]
        return Table(caption=caption, header=["Target", *self.heads(table)], rows=rows, note=note)


def quantified(run: Run, *, kind: str) -> pd.DataFrame:
    """The rows of one kind of specimen."""
    table = pd.read_parquet(run.folder / "quantified.parquet")
    return table[table["nuisance"] == kind]


def targets(table: pd.DataFrame) -> list[str]:
    """Targets of a table, in their order."""
    return list(dict.fromkeys(table["target"]))


def by_target(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each target."""
    return [(target, table[table["target"] == target]) for target in targets(table)]
