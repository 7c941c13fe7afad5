"""Inputs: the quantities of a table in the units that a formula needs; none is guessed, imputed or clipped."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from hepatica.clinical.quantities import COLUMNS, QUANTITIES, Array, Quantity, unit_key
from hepatica.cohort.errors import CohortError, SettingsError
from hepatica.cohort.faults import Faults, did_you_mean, listed

Units = Mapping[str, str | Mapping[str, Any]]
"""By quantity: its unit, or `column`, `unit`, `values` (what each cell means) or `value` (one for all rows)."""

_KEYS = {"column", "unit", "values", "value"}
_ENOUGH = 8
"""Values from which on the median of a column is compared with that of patients. Ours."""

_FLAGS = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0}


class Inputs(Mapping[str, Array]):
    """Columns by their names of quantity and unit, (n,) float64, each read, checked and converted when it is asked for.

    A missing cell is NaN. A category is the number of its level. Faults of the cells are in `faults`, each with its row
    and column; `name` is that of the table.
    """

    def __init__(self, table: pd.DataFrame, *, units: Units | None = None, name: str = "the table") -> None:
        self.table, self.name, self.faults = table, name, Faults()
        self.units = {quantity: _declaration(quantity, each) for quantity, each in (units or {}).items()}
        self._read: dict[str, tuple[Array, str]] = {}
        self._named = {str(column).strip().lower(): str(column) for column in table.columns}
        for quantity, declared in self.units.items():
            if (column := declared.get("column", quantity)) not in table.columns and "value" not in declared:
                raise CohortError(f"{name} has no column {column!r}, declared as {quantity}; {self._like(column)}")

    def __getitem__(self, name: str) -> Array:
        quantity, unit = COLUMNS[name]
        if quantity not in self._read:
            self._read[quantity] = self._column(quantity)
        values, given = self._read[quantity]
        return QUANTITIES[quantity].convert(values, unit=given, to=unit) if unit else values

    def __iter__(self) -> Any:
        return (name for name, (quantity, _) in COLUMNS.items() if self._source(quantity))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return bool(self._source(COLUMNS[str(name)][0]))

    def _like(self, column: str) -> str:
        return did_you_mean(column, map(str, self.table.columns))

    def _source(self, quantity: str) -> Mapping[str, Any] | None:
        """The declaration of a quantity, made by the user or by the name of a column; None without either."""
        if quantity in self.units:
            return self.units[quantity]
        found = {name: unit for name, (owner, unit) in COLUMNS.items() if owner == quantity and name in self._named}
        if len(found) > 1:
            raise CohortError(f"{self.name} has {listed(found)}, wanted one; declare the column of {quantity}")
        for name, unit in found.items():
            return {"column": self._named[name], "unit": unit}
        self.refuse_undeclared([quantity])
        return None

    def refuse_undeclared(self, quantities: Iterable[str] = QUANTITIES) -> None:
        """CohortError, with all of them, for columns that are named after a quantity with units and have none."""
        found = {
            self._named[each]: each
            for each in quantities
            if each in self._named and each not in self.units and QUANTITIES[each].units
        }
        wanted = [f"{column} (one of {', '.join(QUANTITIES[each].units)})" for column, each in found.items()]
        if wanted:
            column, quantity = next(iter(found.items()))
            unit = next(iter(QUANTITIES[quantity].units))
            raise CohortError(
                f"{self.name} has columns without unit, wanted one for {'; '.join(wanted)}; name them with it, or"
                f" declare it, such as [{quantity}] column = {column!r}, unit = {unit!r}"
            )

    def _column(self, quantity: str) -> tuple[Array, str]:
        source = self._source(quantity)
        if source is None:
            raise KeyError(quantity)
        unit, known = source.get("unit", ""), QUANTITIES[quantity]
        if "value" in source:
            cells = pd.Series([source["value"]], name=f"[{quantity}] value")
            return np.broadcast_to(self._values(cells, known, unit, source), len(self.table)), unit
        return self._values(self.table[source.get("column", quantity)], known, unit, source), unit

    def _values(self, cells: pd.Series, quantity: Quantity, unit: str, source: Mapping[str, Any]) -> Array:
        if meanings := source.get("values"):
            cells = cells.map(lambda cell: meanings.get(str(cell), cell))
        if quantity.levels:
            return self._levels(cells, quantity)
        values = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        low, high = quantity.range(quantity.possible, unit=unit)
        wrong = _filled(~((values >= low) & (values <= high)), cells)
        if wrong.any():
            wanted = f"{quantity.meaning} of {low:g} to {high:g} {unit}".strip()
            self.faults.add_cells(self.name, cells[wrong], wanted=wanted + self._alike(values, wrong, quantity, unit))
        elif other := _of_another_unit(values, quantity, unit):
            message = f"the median of {quantity.meaning} is {np.nanmedian(values):g} {unit}, which looks like {other}"
            self.faults.add(self.name, f"{message}; declare the unit that it has", column=str(cells.name))
        return values

    def _alike(self, values: Array, wrong: np.ndarray, quantity: Quantity, unit: str) -> str:
        """How many of the impossible values would be usual in another unit."""
        found = {each: int(_usual(values[wrong], quantity, each).sum()) for each in _others(quantity, unit)}
        if not found or not max(found.values()):
            return ""
        other = max(found, key=lambda each: found[each])
        return (
            f": {found[other]} of {np.isfinite(values).sum()} values look like {other}; a column has one unit, so"
            " convert them, or correct the declaration"
        )

    def _levels(self, cells: pd.Series, quantity: Quantity) -> Array:
        """The number of the level of each cell; 0 and 1 mean no and yes."""
        codes = {each.lower(): float(place) for place, each in enumerate(quantity.levels)}
        codes |= _FLAGS if [*quantity.levels] == ["no", "yes"] else {}
        places, kinds = pd.factorize(cells)
        values = np.array([*(codes.get(str(each).strip().lower(), np.nan) for each in kinds), np.nan])[places]
        wrong = _filled(np.isnan(values), cells)
        self.faults.add_cells(self.name, cells[wrong], wanted=f"{quantity.meaning}: {', '.join(quantity.levels)}")
        return values


def _declaration(quantity: str, given: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """One entry of `units`, complete; SettingsError for a quantity, key or unit that is not known, or without unit."""
    if quantity not in QUANTITIES:
        raise SettingsError(
            f"got a declaration of {quantity!r}; {did_you_mean(quantity, QUANTITIES, known='it is of')}"
        )
    declared: Mapping[str, Any] = {"unit": given} if isinstance(given, str) else given
    if not isinstance(declared, Mapping) or set(declared) - _KEYS:
        raise SettingsError(f"[{quantity}] got {given!r}, wanted a unit, or {', '.join(sorted(_KEYS))}")
    known = QUANTITIES[quantity]
    if known.units and "unit" not in declared:
        raise SettingsError(f"[{quantity}] has no unit, wanted unit = one of {', '.join(known.units)}")
    if "unit" in declared:
        known.factor(declared["unit"])
    return declared


def _filled(wrong: np.ndarray, cells: pd.Series) -> np.ndarray:
    """Those that are wrong and not empty."""
    found = wrong.copy()
    suspects = cells[wrong]
    found[wrong] = ~(suspects.isna() | (suspects.astype(str).str.strip() == "")).to_numpy(bool)
    return found


def _others(quantity: Quantity, unit: str) -> list[str]:
    own = quantity.factor(unit) if quantity.units else 1
    return [each for each, factor in quantity.units.items() if factor != own and unit_key(each) != unit_key(unit)]


def _usual(values: Array, quantity: Quantity, unit: str) -> np.ndarray:
    low, high = quantity.range(quantity.typical, unit=unit)
    return (values >= low) & (values <= high)


def _of_another_unit(values: Array, quantity: Quantity, unit: str) -> str | None:
    """The unit in which the median would be usual, where it is not in the declared one."""
    if np.isfinite(values).sum() < _ENOUGH or not quantity.units:
        return None
    median = np.array([np.nanmedian(values)])
    if _usual(median, quantity, unit).all():
        return None
    return next((each for each in _others(quantity, unit) if _usual(median, quantity, each).all()), None)
