"""Comparison: two runs on the patients that neither of them has seen, paired."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from hepatica.cohort import EvaluationError, Months, Target
from hepatica.serve.run_facts import state_of

if TYPE_CHECKING:
    from hepatica.evaluate import Comparison
    from hepatica.report.page.results import Results, Run


class Compared(BaseModel):
    """The difference a minus b of a statistic of a target in a cohort; `p` is two-sided, None where it is undefined."""

    cohort: str
    target: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    method: str


def compare(first: Path, second: Path) -> tuple[dict[str, list[Any]], list[Compared], str]:
    """Settings that differ, the statistics that pair, and a note of what could not be paired; computed anew only where
    a run has changed.
    """
    return _compared(first, second, (state_of(first), state_of(second)))


@lru_cache(maxsize=100)
def _compared(first: Path, second: Path, _: Any) -> tuple[dict[str, list[Any]], list[Compared], str]:
    from hepatica.report.page import read_run  # brings statistics; a server starts without them

    a, b = read_run(first), read_run(second)
    own, other = ({"system": each.system.name, **each.settings["settings"]} for each in (a, b))
    names = sorted(name for name in own.keys() | other.keys() if own.get(name) != other.get(name))
    found, notes = list[Compared](), list[str]()
    for x in a.cohorts:
        for y in b.cohorts:
            if x.cohort["digest"] == y.cohort["digest"]:
                for target in x.targets:
                    rows, note = _of(a, x, b, y, target)
                    found, notes = [*found, *rows], [*notes, note]
    if not notes:
        notes = ["the two runs have no cohort in common: validate both on the same one"]
    return {name: [own.get(name), other.get(name)] for name in names}, found, "; ".join(filter(None, notes))


def _of(a: "Run", x: "Results", b: "Run", y: "Results", target: Target) -> tuple[list[Compared], str]:
    where = f"{x.cohort['name']}, {target.label}"
    if target.key not in {each.key for each in y.targets}:
        return [], f"{where}: the second run does not predict it"
    if target.task not in ("binary", "survival"):
        return [], f"{where}: no paired statistics for {target.task}"
    first, second = x.outcomes(target), y.outcomes(target)
    both = first.join(second[["score"]], rsuffix="_b", how="inner")
    if both.empty:
        return [], f"{where}: no patient is unseen by both"
    cutoffs = a.cutoffs.get(target.key, 0.5), b.cutoffs.get(target.key, 0.5)
    try:
        paired = _paired(both, target, cutoffs)
    except EvaluationError as error:
        return [], f"{where}: {error}"
    about = {"cohort": str(x.cohort["name"]), "target": target.label}
    return [Compared.model_validate({**about, "metric": name, **_plain(each)}) for name, each in paired.items()], ""


def _paired(both: pd.DataFrame, target: Target, cutoffs: tuple[float, float]) -> dict[str, "Comparison"]:
    from hepatica.evaluate import Risk, at_horizon, compare_c_index, compare_paired

    found: dict[str, Comparison] = {}
    scores = {"score_a": both["score"].to_numpy(), "score_b": both["score_b"].to_numpy()}
    if "time" in both:
        ranks = {name: Risk(each) for name, each in scores.items()}
        found["c_index"] = compare_c_index(both["time"].to_numpy(), event=both["event"].to_numpy(), **ranks)
    if target.task == "binary":
        followed = "time" in both and target.horizon is not None
        known = both if followed else both.dropna(subset=["label"])
        outcome = (
            at_horizon(known["time"], event=known["cause"], horizon=Months(target.horizon or 0))
            if followed
            else known["label"].to_numpy()
        )
        own, other = known["score"].to_numpy(), known["score_b"].to_numpy()
        found |= compare_paired(outcome, score_a=own, score_b=other, cutoff_a=cutoffs[0], cutoff_b=cutoffs[1])
    return found


def _plain(each: "Comparison") -> dict[str, Any]:
    said = each.difference.as_dict()
    return {name: said[name] for name in ("value", "low", "high", "n", "method")} | {
        "p": float(each.p) if np.isfinite(each.p) else None
    }
