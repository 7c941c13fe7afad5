"""Ablation: what changes in the ranking of patients when a system is trained with one thing done otherwise."""

from pathlib import Path

import pandas as pd
from statsmodels.stats.multitest import multipletests

from hepatica.cohort import EvaluationError, Target, patient_scores, read_predictions
from hepatica.cohort.seal import unaltered
from hepatica.evaluate import Comparison, Estimate, Risk, c_index, compare_c_index
from hepatica.report.page import Block, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import NONE, cell, difference, p_value

ABLATIONS = "ablation"
"""Folder of the variants in that of the run, a run each."""

TEXT = (
    "Each variant was trained on the same patients by the same seed and changes one thing. Choosing one of them by"
    " these patients would be tuning on test patients."
)


def section(run: Run, gallery: Gallery, *, title: str = "Variants", remark: str = "") -> Section | str:
    """A table a cohort: C-index of each variant, and its difference from the run, corrected for their number."""
    root = run.internal.folder / ABLATIONS
    names = sorted(each.name for each in root.iterdir()) if root.is_dir() else []
    if not names:
        return "No variant was trained."
    blocks: list[Block] = [Text(text=f"{remark}{TEXT}"), *(_table(run, each, root, names) for each in run.cohorts)]
    return Section(anchor="ablation", title=title, blocks=blocks)


def _table(run: Run, results: Results, root: Path, names: list[str]) -> Table:
    target, outcomes = run.targets[0], results.outcomes(run.targets[0])
    place = results.folder.relative_to(run.internal.folder)
    found = {name: _compared(outcomes, root / name / place, target, results.fold) for name in names}
    known = {name: pair[1].p for name, pair in found.items() if pair is not None and pair[1].p == pair[1].p}
    corrected = dict(zip(known, multipletests(list(known.values()), method="holm")[1], strict=True)) if known else {}
    time, event = outcomes["time"].to_numpy(), outcomes["event"].to_numpy()
    own = c_index(time, event=event, score=Risk(outcomes["score"].to_numpy()))
    rows = [["This run", cell(own), NONE, ""]]
    for name, pair in found.items():
        p = p_value(corrected[name]) if name in corrected else ""
        value, apart = pair or (None, None)
        rows.append([name.replace("_", " "), cell(value), difference(apart), p])
    return Table(
        caption=f"C-index of the variants, with 95% confidence intervals. {results.title}.",
        header=["", "C-index", "Variant minus this run", "P, corrected"],
        rows=rows,
        note="Difference: of the same patients, infinitesimal jackknife. P: Holm's correction for their number.",
    )


def _compared(outcomes: pd.DataFrame, folder: Path, target: Target, fold: str) -> tuple[Estimate, Comparison] | None:
    table = read_predictions(unaltered(folder / "predictions.parquet"))
    score = patient_scores(table, target=target, fold=fold)["score"].astype(float)
    both = outcomes.join(score.rename("other"), how="inner").dropna(subset=["other"])
    time, event = both["time"].to_numpy(), both["event"].to_numpy()
    ours, theirs = Risk(both["score"].to_numpy(float)), Risk(both["other"].to_numpy(float))
    try:
        apart = compare_c_index(time, event=event, score_a=theirs, score_b=ours)
        return c_index(time, event=event, score=theirs), apart
    except EvaluationError:
        return None
