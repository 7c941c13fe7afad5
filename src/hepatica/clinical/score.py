"""Score: the record of a published score, read from TOML: points by limits, a formula, or rules of stages."""

import ast
import math
import operator
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.clinical.quantities import COLUMNS, QUANTITIES, Array


@dataclass(frozen=True, kw_only=True)
class Score:
    """A published score: for whom, of what, how, and on what evidence.

    The result is the sum of `points`; or `formula`; or the first of the `stages` whose rule holds. In expressions a
    column is an array (n,) with the unit of its name, a category the number of its level, and `let` names parts of it.
    `points` and `bands` have what is below the first limit, then what is from each limit on, a limit of ">50" without
    50. `also`: further columns, by the whole number that is the result, or an expression of `value`. The result
    is missing where `defined` does not hold. `evidence` says which public source other than the paper has the same; it
    begins with "unconfirmed" where there is none.
    """

    name: str
    title: str
    scope: str
    paper: str
    doi: str
    evidence: str
    unit: str = "points"
    points: Mapping[str, Sequence[Any] | Mapping[str, float]] = field(default_factory=dict)
    let: Mapping[str, str] = field(default_factory=dict)
    formula: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    stages: Sequence[str] = ()
    defined: str = "1"
    bands: Sequence[Any] = ()
    also: Mapping[str, str | Sequence[float]] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Columns that it reads, each in the unit that the formula has."""
        expressions = (*self.let.values(), self.formula or "0", *self.rules.values(), self.defined)
        named = (name for each in expressions for name in names_in(each) if name not in self.let)
        return tuple(dict.fromkeys((*self.points, *(name for name in named if name in COLUMNS))))

    @property
    def confirmed(self) -> bool:
        """Whether a public source other than the paper has the same."""
        return not self.evidence.startswith("unconfirmed")

    @property
    def check(self) -> str:
        """The command that compares it with its vectors."""
        return f"hepatica scores --check --only {self.name}"

    def values(self, inputs: Mapping[str, Array]) -> Array:
        """The result (n,), a stage as its number; NaN where an input is missing or the score is not defined."""
        given = {name: inputs[name] for name in self.inputs}
        known = ~np.isnan(list(given.values())).any(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            scope: dict[str, Any] = {**self._levels, **given}
            for name, expression in self.let.items():
                scope[name] = value(expression, scope)
            found = self._points(given) if self.points else self._result(scope)
            known &= np.isfinite(found) & np.asarray(value(self.defined, scope), bool)
        return np.where(known, found, np.nan)

    def columns(self, inputs: Mapping[str, Array]) -> dict[str, Any]:
        """The columns that it adds to a table."""
        found = self.values(inputs)
        if self.stages:
            return {self.name: _categories(found, self.stages)}
        columns: dict[str, Any] = {self.name: found}
        if self.bands:
            names, place = _step(found, self.bands)
            columns[f"{self.name}_band"] = _categories(place, names)
        return columns | {f"{self.name}_{name}": _further(found, each) for name, each in self.also.items()}

    @cached_property
    def _levels(self) -> dict[str, float]:
        """The levels of the categories that it reads, as numbers."""
        read = (QUANTITIES[COLUMNS[name][0]].levels for name in self.inputs)
        return {level: float(place) for levels in read for place, level in enumerate(levels)}

    def _points(self, given: Mapping[str, Array]) -> Array:
        """The sum of the points; a category without points is outside the score."""
        total = np.zeros(len(next(iter(given.values()))))
        for name, table in self.points.items():
            if isinstance(table, Mapping):
                names = [table.get(level, math.nan) for level in QUANTITIES[COLUMNS[name][0]].levels]
                total += _at(given[name], names)
            else:
                names, place = _step(given[name], table)
                total += _at(place, names)
        return total

    def _result(self, scope: Mapping[str, Any]) -> Array:
        if not self.rules:
            return np.asarray(value(self.formula, scope), np.float64)
        holds = [value(rule, scope) for rule in self.rules.values()]
        return np.select(holds, [float(self.stages.index(name)) for name in self.rules], np.nan)


def read_scores(path: Path) -> Iterator[Score]:
    """The records of a file, each expression parsed once to see that it names nothing unknown."""
    for name, record in tomllib.loads(path.read_text(encoding="utf-8")).items():
        score = Score(name=name, **record)
        known = {*COLUMNS, *FUNCTIONS, *score._levels, *score.let}
        every = (*score.let.values(), score.formula or "0", *score.rules.values(), score.defined)
        unknown = {each for expression in every for each in names_in(expression)} - known
        if unknown or not score.inputs:
            raise ValueError(f"{path.name} [{name}] names {sorted(unknown)}")
        yield score


def _step(values: Array, table: Sequence[Any]) -> tuple[list[Any], Array]:
    """What each step gives, from below, and the number of the step of each value (n,), NaN where that is missing."""
    first, *then = table
    limits = [math.nextafter(float(limit[1:]), math.inf) if isinstance(limit, str) else limit for limit, _ in then]
    place = np.searchsorted(limits, values, side="right")
    return [first, *(given for _, given in then)], np.where(np.isnan(values), np.nan, place)


def _at(place: Array, worth: Sequence[float]) -> Array:
    """The element of each place (n,), NaN where that is missing."""
    found: Array = np.array([*worth, math.nan])[_codes(place)]
    return found


def _categories(place: Array, names: Sequence[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(_codes(place), dtype=pd.CategoricalDtype(list(names), ordered=True))


def _codes(place: Array) -> Any:
    """Places (n,) as whole numbers, -1 where one is missing."""
    return np.where(np.isnan(place), -1, place).astype(np.int64)


def _further(found: Array, table: str | Sequence[float]) -> Array:
    if isinstance(table, str):
        return np.asarray(value(table, {"value": found}), np.float64)
    return _at(found, table)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: getattr(np, name) for name in ("log", "log10", "sqrt", "exp", "floor", "maximum", "clip", "where")
}
"""What an expression may call."""

_OPERATORS: Mapping[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.Invert: operator.invert,
    ast.USub: operator.neg, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


@lru_cache(maxsize=1024)
def parsed(expression: str) -> ast.expr:
    """The tree of an expression; ValueError where it is none."""
    try:
        return ast.parse(expression, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"got {expression!r}, wanted arithmetic and comparisons ({error.msg})") from None


def names_in(expression: str) -> list[str]:
    """Names of the columns and functions in an expression."""
    return [node.id for node in ast.walk(parsed(expression)) if isinstance(node, ast.Name)]


def value(expression: str, scope: Mapping[str, Any]) -> Any:
    """What an expression of the names in `scope` gives; ValueError for anything but arithmetic and comparisons."""
    return _value(parsed(expression), scope)


def _value(node: ast.expr, scope: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in scope:
            return scope[name]
        case ast.UnaryOp(op=sign, operand=part) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](_value(part, scope))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](_value(left, scope), _value(right, scope))
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](_value(left, scope), _value(right, scope))
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_value(part, scope) for part in parts))
    raise ValueError(f"got {ast.unparse(node)!r}, wanted arithmetic and comparisons of known names")
