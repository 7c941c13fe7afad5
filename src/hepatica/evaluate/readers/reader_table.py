"""Reader table: who called which case what, from a CSV with one row a reading, or one row a case."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.cohort.errors import EvaluationError
from hepatica.cohort.faults import listed
from hepatica.evaluate.inputs import Booleans, Floats
from hepatica.evaluate.scored_table import Columns

Words = NDArray[np.str_]

ONE_ARM = "all readings"
"""The name of the arm where no column of arms was named."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way of reading all n cases: calls (readers, n), and scores of that shape where a column was named.

    `advice` is of that shape, too: the category that a machine showed to the reader, in the aided arm.
    """

    calls: Words
    scores: Floats | None
    advice: Words | None = None


@dataclass(frozen=True, kw_only=True)
class ReaderTable:
    """A reader study in which every reader read every case in every arm.

    `truth` (n,) is the true category of each case and `positive` the category that counts as the disease; `arms` are
    in order of appearance, the unaided one first; `machine` holds one row, or is None. `new` are the cases that were
    read in the second arm alone, by the same readers.
    """

    truth: Words
    positive: str
    readers: tuple[str, ...]
    arms: dict[str, Reading]
    machine: Reading | None
    new: "ReaderTable | None" = None

    @property
    def label(self) -> Booleans:
        """(n,) whether the case has the disease."""
        return np.asarray(self.truth == self.positive)

    def called(self, reading: Reading) -> Booleans:
        """(readers, n) whether the disease was called."""
        return np.asarray(reading.calls == self.positive)


def read_readers(
    path: Path,
    *,
    case: str = "case",
    reader: str = "reader",
    truth: str = "truth",
    call: str = "call",
    score: str | None = None,
    arm: str | None = None,
    machine: str | None = None,
    advice: str | None = None,
    cases: str | None = None,
    positive: str = "1",
) -> ReaderTable:
    """Read the named columns of a CSV; one row a reading of one case by one reader in one arm.

    Where the file has neither of the columns `reader` and `call`, a row is a case, in one arm, and each column that has
    no other part holds the calls of the reader after whom it is named.

    Calls and truth are words of one set, such as 1 and 0, or hcc, icc and met; numbers are compared as numbers, so that
    1.0 is 1. `machine` is the reader that is a machine; its readings need no arm. `advice` is the column of what a
    machine showed to the reader, blank where nothing was shown: in the whole second arm, or nowhere in it. `cases` is a
    column of two words, the second for cases that were new in the second arm, which show what memory of the first did.
    Raises EvaluationError with every fault: columns missing, cells blank, a case of two truths, a reading that is
    repeated or missing, no case or only cases of the positive category, a call that is no word of the truth and would
    count as a wrong one, new cases in the first arm.
    """
    columns = Columns(path)
    named = {"case": case, "reader": reader, "truth": truth, "call": call}
    if columns.lack(reader, call):
        columns.lengthen(keep=[each for each in (case, truth, arm, advice, cases) if each], name=reader, value=call)
    table = pd.DataFrame(
        {name: pd.Series(columns.text(column, wanted=f"the {name}")) for name, column in named.items()}
    )
    table["score"] = np.nan if score is None else pd.Series(columns.numbers(score, wanted="a number"))
    table["arm"] = ONE_ARM if arm is None else pd.Series(columns.words(arm))
    table["advice"] = "" if advice is None else plain_words(pd.Series(columns.words(advice)))
    table["cases"] = "" if cases is None else pd.Series(columns.text(cases, wanted="the set of the case"))
    columns.finish()
    positive = plain_words(pd.Series([positive]))[0]
    table = table.assign(truth=plain_words(table["truth"]), call=plain_words(table["call"]))
    sets = [(str(name), rows) for name, rows in table.groupby("cases", sort=False)]
    if cases is not None and len(sets) != 2:
        raise EvaluationError(
            f"{path.name}: {cases} has {len(sets)} words, wanted two: of the old and of the new cases"
        )
    first, *rest = (_of_cases(path, rows, machine=machine, positive=positive, scored=bool(score)) for _, rows in sets)
    if not rest:
        return first
    if len(first.arms) != 2 or list(rest[0].arms) != list(first.arms)[1:] or rest[0].readers != first.readers:
        raise EvaluationError(
            f"{path.name}: the cases {sets[1][0]} were read in {', '.join(rest[0].arms)} by {len(rest[0].readers)}"
            f" readers, wanted the second of two arms alone, by the readers of the cases {sets[0][0]}"
        )
    return replace(first, new=rest[0])


def _of_cases(path: Path, table: pd.DataFrame, *, machine: str | None, positive: str, scored: bool) -> ReaderTable:
    """Of cases that were all read by all readers in all arms."""
    by_machine = table["reader"] == machine
    _refuse_faults(path, table, by_machine, machine=machine, positive=positive)
    cases = list(dict.fromkeys(table["case"]))
    readers = list(dict.fromkeys(table.loc[~by_machine, "reader"]))
    arms = {
        str(name): _reading(path, rows, readers, cases, scored=scored)
        for name, rows in table[~by_machine].groupby("arm", sort=False)
    }
    by = None if machine is None else _reading(path, table[by_machine], [machine], cases, scored=scored)
    true = table.drop_duplicates("case").set_index("case")["truth"].reindex(cases).to_numpy(str)
    return ReaderTable(truth=true, positive=positive, readers=tuple(readers), arms=arms, machine=by)


def _refuse_faults(
    path: Path, table: pd.DataFrame, by_machine: pd.Series, *, machine: str | None, positive: str
) -> None:
    several = table.groupby("case")["truth"].nunique()
    if (several > 1).any():
        raise EvaluationError(f"{path.name}: {(several > 1).sum()} cases have two truths, wanted one each")
    if machine is not None and not by_machine.any():
        raise EvaluationError(f"{path.name}: no reader is {machine}; there are {', '.join(table['reader'].unique())}")
    if by_machine.all():
        raise EvaluationError(f"{path.name}: the machine is the only reader, wanted readers too")
    blank = ~by_machine & (table["arm"] == "")
    if blank.any():
        raise EvaluationError(f"{path.name}: the arm is blank in {blank.sum()} readings; only the machine needs none")
    have = table["truth"].unique()
    if positive not in have or have.size < 2:
        raise EvaluationError(
            f"{path.name}: truth is {', '.join(have)}, wanted {positive!r} (the positive category) and another; name"
            f" one of these with --positive"
        )
    refuse_other_words(table, have, file=path.name)
    refuse_other_words(table[table["advice"] != ""].assign(call=table["advice"]), have, file=f"{path.name}, advice")


def plain_words(cells: pd.Series) -> pd.Series:
    """The cells, numbers written alike: 1.0 and 01 as 1."""
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    return cells.mask(np.isfinite(numbers), numbers.map("{:g}".format))


def refuse_other_words(table: pd.DataFrame, words: Iterable[str], *, file: str) -> None:
    """EvaluationError naming each reader, and the words among their calls (columns reader, call) that are not these."""
    other = table[~table["call"].isin([*words])]
    unknown = [
        f"{reader} writes {', '.join(map(repr, calls.unique()))} in {len(calls)} readings"
        for reader, calls in other.groupby("reader", sort=False)["call"]
    ]
    if unknown:
        raise EvaluationError(
            f"{file}: {listed(unknown)}, wanted {' or '.join(words)}, the words of the truth; correct the calls"
        )


def _reading(path: Path, rows: pd.DataFrame, readers: list[str], cases: list[str], *, scored: bool) -> Reading:
    twice = int(rows.duplicated(["reader", "case"]).sum())
    missing = len(readers) * len(cases) - (len(rows) - twice)
    if twice or missing:
        where = f"{path.name}, arm {rows['arm'].iloc[0] or 'of the machine'}"
        raise EvaluationError(
            f"{where}: {twice} readings occur twice and {missing} are missing; wanted one of each case by each reader"
        )
    wide = rows.pivot(index="reader", columns="case").reindex(readers)
    scores = wide["score"][cases].to_numpy(np.float64) if scored else None
    advice = wide["advice"][cases].to_numpy(str) if (rows["advice"] != "").all() else None
    return Reading(calls=wide["call"][cases].to_numpy(str), scores=scores, advice=advice)
