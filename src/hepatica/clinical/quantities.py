"""Quantities: what a table may have of a patient, in which units, and which values are possible.

A quantity has one meaning and some units that differ by a factor. A column of it is named after both, such as
`bilirubin_umol_l`, or is declared. What is measured in units without a common factor is two quantities: `dcp` in ng/mL
and `pivka_ii` in mAU/mL are the same protein by different assays.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError

Array = NDArray[np.float64]

_LOG = "log10_"


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One quantity of quantities.toml, which says what each field means."""

    meaning: str
    units: Mapping[str, float] = field(default_factory=dict)
    possible: Sequence[float] = (0, inf)
    typical: Sequence[float] = (0, inf)
    levels: Sequence[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    def factor(self, unit: str) -> float:
        """How many of the first unit one of this unit is; SettingsError for a unit that this quantity does not have."""
        known = {unit_key(each): factor for each, factor in self.units.items()}
        if (found := known.get(unit_key(unit))) is not None:
            return found
        reasons = {unit_key(each): reason for each, reason in self.refused.items()}
        reason = reasons.get(unit_key(unit), "it is not converted")
        raise SettingsError(f"got {unit!r} for {self.meaning}, wanted {', '.join(self.units) or 'no unit'}: {reason}")

    def convert(self, values: Array, *, unit: str, to: str) -> Array:
        """Values (n,) in another unit, to nine decimals, so that a value on a limit stays on it."""
        source, target = unit_key(unit), unit_key(to)
        if source == target:
            return values
        values = 10.0**values if source.startswith(_LOG) else values
        values = np.round(values * (self.factor(unit) / self.factor(to)), 9)
        return np.log10(values) if target.startswith(_LOG) else values

    def range(self, limits: Sequence[float], *, unit: str) -> tuple[float, float]:
        """Limits in the first unit as those in another."""
        if not self.units:
            return limits[0], limits[1]
        with np.errstate(divide="ignore"):
            low, high = self.convert(np.array(limits, float), unit=next(iter(self.units)), to=unit)
        return float(low), float(high)


def unit_key(unit: str) -> str:
    """A unit as it is written in the name of a column: `10e9_l` for 10^9/L or 10*9/l."""
    text = unit.strip().lower().translate(str.maketrans("µμ^*", "uuee")).replace("%", "percent")
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"^/", "per_", text)).strip("_")


def _read() -> dict[str, Quantity]:
    records: dict[str, dict[str, Any]] = tomllib.loads(
        Path(__file__).with_name("quantities.toml").read_text(encoding="utf-8")
    )
    return {name: Quantity(**record) for name, record in records.items()}


QUANTITIES: Mapping[str, Quantity] = _read()

COLUMNS: Mapping[str, tuple[str, str]] = {
    f"{name}_{unit_key(unit)}" if unit else name: (name, unit)
    for name, quantity in QUANTITIES.items()
    for unit in quantity.units or ("",)
}
"""The quantity and the unit that each name of a column says."""
