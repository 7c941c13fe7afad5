"""Comparators: published scores, or fitted baselines, against the system on the very patients whom they can judge."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from hepatica.clinical.scores import SCORES
from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import Comparison, Estimate, Risk, auroc, c_index, compare_auroc, compare_c_index
from hepatica.report.page import Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import heading, p_value, share

NOTE = (
    "Each comparator is evaluated in the reported patients who have all its inputs, and the system in the same"
    " patients. Difference: system minus comparator, paired. A binary rule leaves most pairs of patients tied, and a"
    " tie counts as half: its C-index is near 0.5 wherever nearly all patients are on one side, so the number beyond"
    " the rule is given. A score developed in a broader population, such as patients with and without cirrhosis,"
    " discriminates less here."
)


def section(run: Run, gallery: Gallery) -> Section | str:
    """A table a cohort; an empty sentence for a system that names no comparators."""
    tables = [_table(each, run.targets, beside) for each in run.cohorts if (beside := each.comparators()) is not None]
    if not tables:
        return ""
    return Section(
        anchor="comparators", title="Comparison with other scores", blocks=[*tables, Text(text=NOTE, tone="note")]
    )


def _table(results: Results, targets: Sequence[Target], beside: pd.DataFrame) -> Table:
    judged = [target for target in targets if target.followed or target.task == "binary"]
    statistic = "C-index" if any(target.followed for target in judged) else "AUROC"
    rows = [row for target in judged for row in ([heading(target)], *_rows(results, target, beside))]
    return Table(
        caption=f"{results.title}: comparators and the system on the same patients, with 95% intervals.",
        header=["", "Evaluable", "Beyond the rule", statistic, f"{statistic} of the system", "Difference", "P"],
        rows=rows,
    )


def _rows(results: Results, target: Target, beside: pd.DataFrame) -> list[list[str]]:
    outcomes = results.outcomes(target)
    if not target.followed:
        outcomes = outcomes.dropna(subset="label")
    return [_row(str(name), column.reindex(outcomes.index), outcomes, target) for name, column in beside.items()]


def _row(name: str, score: "pd.Series[float]", outcomes: pd.DataFrame, target: Target) -> list[str]:
    known = score.notna()
    title = re.split("[:;,]", SCORES[name].title)[0] if name in SCORES else name.replace("_", " ").capitalize()
    score, own = score[known], outcomes[known]
    at_risk = share(int((score == 1).sum()), len(score)) if len(score) and score.isin([0, 1]).all() else ""
    cells = [title, share(len(score), len(known)), at_risk]
    try:
        theirs, ours, found = compared(own, score.to_numpy(), followed=target.followed)
    except EvaluationError:
        return [*cells, *["not computable"] * 3, ""]
    return [*cells, str(theirs), str(ours), str(found.difference), "" if np.isnan(found.p) else p_value(found.p)]


def compared(outcomes: pd.DataFrame, score: np.ndarray, *, followed: bool) -> tuple[Estimate, Estimate, Comparison]:
    """C-index (of an event of follow-up) or AUROC of another score and of the system's, and system less other."""
    own, other = Risk(outcomes["score"].to_numpy()), Risk(score)
    if followed:
        time, event = outcomes["time"].to_numpy(), outcomes["event"].to_numpy()
        theirs, ours = (c_index(time, event=event, score=each) for each in (other, own))
        return theirs, ours, compare_c_index(time, event=event, score_a=own, score_b=other)
    label = outcomes["label"].to_numpy(int)
    theirs, ours = (auroc(label, score=each) for each in (other, own))
    return theirs, ours, compare_auroc(label, score_a=own, score_b=other)
