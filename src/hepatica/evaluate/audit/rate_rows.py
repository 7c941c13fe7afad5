"""Rate rows: one row of a published table a line, its figures as printed."""

from dataclasses import dataclass

import pandas as pd

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.audit.integer_tables import Printed, read_printed
from hepatica.evaluate.readers.multi_reader import RATES

CELLS = ("tp", "fp", "fn", "tn")

COLUMNS = ("row", "patients", "outcome", "n", "positives", *CELLS, *RATES)


@dataclass(frozen=True, kw_only=True)
class RateRow:
    """A row: its name, whose patients and which outcome it is about, and what is printed of it.

    `n` patients of whom `positives` have the disease and the four `counts` TP, FP, FN, TN are None where not printed.
    Rows of the same `patients` (a name) have one n, those of the same `outcome` too as many positives.
    """

    name: str
    printed: dict[str, Printed]
    n: int | None = None
    positives: int | None = None
    counts: tuple[int, int, int, int] | None = None
    patients: str = ""
    outcome: str = ""


def read_rate_rows(table: pd.DataFrame, *, name: str) -> list[RateRow]:
    """Rows of a table of text with the columns row, n, positives, accuracy, sensitivity …; see docs/audit.md.

    Raises EvaluationError with every fault: columns unknown here, cells that are no figures, rows without one.
    """
    strange = [column for column in table.columns if column not in COLUMNS]
    if strange or "row" not in table.columns:
        raise EvaluationError(
            f"{name} has columns {', '.join(table.columns)}; wanted row and some of {', '.join(COLUMNS[1:])}"
        )
    rows, faults = [], []
    for line, cells in table.iterrows():
        try:
            rows.append(_row({str(column): cell for column, cell in cells.items() if cell}))
        except EvaluationError as error:
            faults.append(f"{name} row {line}: {error}")
    if faults:
        raise EvaluationError("; ".join(faults))
    return rows


def _row(cells: dict[str, str]) -> RateRow:
    printed = {rate: read_printed(cells[rate]) for rate in RATES if rate in cells}
    counts = [_whole(cells[cell]) for cell in CELLS if cell in cells]
    beyond = [rate for rate, figure in printed.items() if not (-1 if rate == "kappa" else 0) <= figure.value <= 1]
    if beyond:
        raise EvaluationError(f"{beyond[0]} is {cells[beyond[0]]}, wanted a share from 0 to 1 or with a % sign")
    if not printed and len(counts) < len(CELLS):
        raise EvaluationError(f"wanted one of {', '.join(RATES)}, or all of {', '.join(CELLS)}")
    if counts and len(counts) < len(CELLS):
        raise EvaluationError(f"got some of {', '.join(CELLS)}, wanted all or none")
    n, positives = (None if each not in cells else _whole(cells[each]) for each in ("n", "positives"))
    if n is not None and positives is not None and not 0 < positives < n:
        raise EvaluationError(f"got {positives} positives of {n} patients, wanted some with and some without")
    tp, fp, fn, tn = counts or (0, 0, 0, 0)
    return RateRow(
        name=cells.get("row", "unnamed"),
        printed=printed,
        n=n,
        positives=positives,
        counts=(tp, fp, fn, tn) if counts else None,
        patients=cells.get("patients", ""),
        outcome=cells.get("outcome", ""),
    )


def _whole(text: str) -> int:
    if not text.strip().isdecimal():
        raise EvaluationError(f"got {text!r}, wanted a whole number")
    return int(text)
