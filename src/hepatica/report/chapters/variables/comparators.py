"""Comparators: published scores, or fitted baselines, against the system on the very patients whom they can judge."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from hepatica.clinical.scores import SCORES
from hepatica.cohort import Classes, EvaluationError, Target
from hepatica.evaluate import Comparison, Estimate, Risk, auroc, c_index, compare_auroc, compare_c_index
from hepatica.report.chapters.multiclass import scored
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
    """A table a cohort and statistic; an empty sentence for a system that names no comparators."""
    tables = [
        table for each in run.cohorts if (beside := each.comparators()) is not None for table in _tables(each, beside)
    ]
    if not tables:
        return ""
    return Section(
        anchor="comparators", title="Comparison with other scores", blocks=[*tables, Text(text=NOTE, tone="note")]
    )


def _tables(results: Results, beside: pd.DataFrame) -> Iterator[Table]:
    """Of what is true or false, of two classes, and of what is followed: one number ranks patients by these alone."""
    found: dict[str, list[Target]] = {"AUROC": [], "C-index": []}
    for target in results.targets:
        if target.followed or target.task == "binary" or len(_classes(results, target)) == 2:
            found["C-index" if target.followed else "AUROC"].append(target)
    return (_table(results, targets, beside, statistic=name) for name, targets in found.items() if targets)


def _classes(results: Results, target: Target) -> Sequence[str]:
    endpoint = results.endpoint(target)
    return endpoint.classes if isinstance(endpoint, Classes) and target.task == "multi_class" else ()


def _table(results: Results, targets: Sequence[Target], beside: pd.DataFrame, *, statistic: str) -> Table:
    rows = [
        row
        for target in targets
        for row in ([": ".join([heading(target), *_classes(results, target)[1:]])], *_rows(results, target, beside))
    ]
    return Table(
        caption=f"{results.title}: comparators and the system on the same patients, with 95% intervals.",
        header=["", "Evaluable", "Beyond the rule", statistic, f"{statistic} of the system", "Difference", "P"],
        rows=rows,
    )


def _rows(results: Results, target: Target, beside: pd.DataFrame) -> list[list[str]]:
    if target.task == "multi_class":
        (_, last), table = _classes(results, target), scored(results, target)
        outcomes = pd.DataFrame({"score": table[last], "label": table["truth"] == last})
    else:
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
