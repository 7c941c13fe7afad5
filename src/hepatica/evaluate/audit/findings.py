"""Findings: what an audit says of one row of a published table."""

from dataclasses import dataclass
from typing import Any

from hepatica.evaluate.audit.integer_tables import Counts

MOST_TABLES = 10
"""Possible tables of one row listed in JSON, at most; their number is always given."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Verdict on one row: `possible` (k, 4) counts TP, FP, FN, TN that may lie behind it, and what is wrong in words.

    `repairs` are changes that would make the row possible: likely misprints, none proven. `possible` are counts of the
    row as printed; where there are none and one repair is left, `repaired` are those of the repaired row. `notes` say
    what was found and is no fault: by which method intervals were computed, or which counts come nearest.
    """

    row: str
    contradictions: tuple[str, ...]
    repairs: tuple[str, ...]
    possible: Counts | None = None
    repaired: Counts | None = None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "row": self.row,
            "contradictions": list(self.contradictions),
            "repairs": list(self.repairs),
            "notes": list(self.notes),
            "possible": _listed(self.possible),
            "repaired": _listed(self.repaired),
        }


def _listed(counts: Counts | None) -> dict[str, Any] | None:
    if counts is None:
        return None
    named = [dict(zip(("tp", "fp", "fn", "tn"), each, strict=True)) for each in counts[:MOST_TABLES].tolist()]
    return {"number": len(counts), "tables": named}
