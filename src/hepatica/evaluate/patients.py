"""Patients: which rows of a table are one patient's, so that statistics count patients and not tiles or lesions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Booleans, Floats


@dataclass(frozen=True, kw_only=True)
class Patients:
    """`count` patients; `of_row` (n,) numbers the patient of each row from 0, None when every row is a patient."""

    count: int
    of_row: NDArray[np.intp] | None = None

    @property
    def clustered(self) -> str:
        """What the method of an interval adds when patients have several rows."""
        return "" if self.of_row is None else ", clustered by patient"

    def sums(self, values: Floats | Booleans) -> Floats:
        """(patients,) sum of the values of each patient's rows."""
        if self.of_row is None:
            return values.astype(np.float64, copy=False)
        return np.bincount(self.of_row, weights=values).astype(np.float64, copy=False)

    def having(self, rows: Booleans) -> int:
        """How many patients have at least one of the rows."""
        return int(np.count_nonzero(rows if self.of_row is None else self.sums(rows)))


def patients_of(group: ArrayLike | None, *, rows: int) -> Patients:
    """Number the patients that `group` (rows,) names; every row is a patient when it is None.

    Raises EvaluationError when a name is missing or their number is not `rows`.
    """
    if group is None:
        return Patients(count=rows)
    values = np.asarray(group)
    if values.shape != (rows,):
        raise EvaluationError(f"group: got an array of shape {values.shape}, wanted {rows} names")
    of_row, names = pd.factorize(values)
    if (of_row < 0).any():
        raise EvaluationError(f"group: got {int((of_row < 0).sum())} of {rows} missing")
    return Patients(count=len(names), of_row=of_row)
