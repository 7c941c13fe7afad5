"""Classified: rows by the class they are of and by the class with their highest score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.confusion import Confusion, confusion
from hepatica.evaluate.inputs import Floats, numbers
from hepatica.evaluate.patients import Patients, patients_of


@dataclass(frozen=True, kw_only=True)
class Classified:
    """`of` (n,) and `called` (n,) number the `classes` (k,) of each row from 0; `score` (n, k) has a column a class."""

    classes: tuple[str, ...]
    of: NDArray[np.intp]
    called: NDArray[np.intp]
    score: Floats
    patients: Patients

    @property
    def shares(self) -> Floats:
        """(k, k) share of all rows that are of the class of the line and called the class of the column."""
        k = len(self.classes)
        return np.bincount(self.of * k + self.called, minlength=k * k).reshape(k, k) / self.of.size

    @property
    def matrix(self) -> pd.DataFrame:
        """(k, k) confusion matrix: counts of rows, a line for the class they are of, a column for the class called."""
        counts = np.rint(self.shares * self.of.size).astype(int)
        return pd.DataFrame(counts, index=list(self.classes), columns=list(self.classes))

    @property
    def present(self) -> list[int]:
        """The classes that some row is of."""
        return [int(which) for which in np.unique(self.of)]

    @property
    def over_present(self) -> str:
        """What the method of a mean over classes adds where some have no rows: over which it is."""
        named = [self.classes[which] for which in self.present]
        return "" if len(named) == len(self.classes) else f", over {', '.join(named)}; no row is of any other class"

    def one_v_rest(self, which: int) -> Confusion:
        """Rows of a class and rows called it, as if there were that class and the rest."""
        return confusion(self.of == which, score=self.called == which, cutoff=0.5, group=self.patients.of_row)

    @property
    def rarest(self) -> int:
        """Patients of the class that has the fewest, of those present."""
        return min(self.patients.having(self.of == which) for which in self.present)


def classified(
    label: ArrayLike, *, score: ArrayLike, classes: Sequence[str], group: ArrayLike | None = None
) -> Classified:
    """Call each row the class of its highest score, of equal scores the first in `classes`.

    `label` (n,) holds names among `classes` (k, two or more), `score` (n, k) one column for each in their order,
    `group` (n,) names the patient of each row when there are several. Raises EvaluationError on a label that is no
    class, classes named twice, or scores of another shape or not finite.
    """
    names = pd.Index(list(classes))
    if len(names) < 2 or not names.is_unique:
        raise EvaluationError(f"classes: got {list(classes)}, wanted two or more different names")
    labels = np.asarray(label).ravel()
    of = names.get_indexer(pd.Index(labels))
    if (of < 0).any():
        raise EvaluationError(f"label: got {labels[of < 0][0]!r}, wanted one of {', '.join(map(str, names))}")
    scores = np.atleast_2d(np.asarray(score))
    if scores.shape != (labels.size, len(names)):
        wanted = f"{(labels.size, len(names))}: a row a label, a column a class"
        raise EvaluationError(f"score: got an array of shape {scores.shape}, wanted {wanted}")
    table = np.column_stack([numbers(column, name="score") for column in scores.T])
    patients = patients_of(group, rows=labels.size)
    return Classified(classes=tuple(classes), of=of, called=table.argmax(axis=1), score=table, patients=patients)
