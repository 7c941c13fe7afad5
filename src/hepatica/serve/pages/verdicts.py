"""Verdicts: what a locked model says of each patient of a case, with all that a reader must see beside the score."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import Target, targets
from hepatica.cohort.applicability import NOT_ASSESSABLE, UNUSUAL
from hepatica.cohort.predictions import is_about, of_patients
from hepatica.serve.pages.model import FOLDS, Model

MOST = 200
"""Dots of a group of patients that are drawn (ours), evenly spread over their ranks."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Scores (n,) of a group of patients, and the share of them that this one lies above."""

    name: str
    scores: np.ndarray
    below: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One score of one patient: about what, in which group by the locked cut-off, and among which others it lies."""

    heading: str
    of: str
    score: float
    unit: str
    digits: int
    group: str
    cutoff: float | None
    spreads: tuple[Spread, ...]


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What is said of one patient. `interval` is what the system says of its own uncertainty, in words; empty where it
    says nothing. Where `applicability` is `unusual`, or there is no score, there are no verdicts: a page shows no
    answer to a question that the model was not made for.
    """

    name: str
    applicability: str
    applies: str
    reason: str
    seen: bool
    interval: str
    verdicts: tuple[Verdict, ...]


def patients(table: pd.DataFrame, *, specimens: pd.DataFrame, model: Model, known: pd.DataFrame) -> list[Patient]:
    """Every patient of a predictions table; `known` are scores of the model's own patients (`model.scores_of`)."""
    rows = table[table["specimen_id"].isna() & table["lesion_id"].isna()]
    return [
        _patient(str(name), own, specimens[specimens["patient_id"] == name], model, known)
        for name, own in rows.groupby("patient_id", sort=False)
    ]


def _patient(name: str, own: pd.DataFrame, specimens: pd.DataFrame, model: Model, known: pd.DataFrame) -> Patient:
    from hepatica.report.documents.predictions_page import APPLIES  # brings statistics; a server starts without them

    scored = own[own["score"].notna()]
    first = (own if scored.empty else scored).iloc[0]
    applicability = NOT_ASSESSABLE if scored.empty else str(first["applicability"])
    answered = applicability not in (NOT_ASSESSABLE, UNUSUAL)
    found = [each for target in targets(scored) for each in _about(target, scored, model, known)] if answered else []
    return Patient(
        name=name,
        applicability=applicability,
        applies=APPLIES[applicability],
        reason=_word(first["reason"]),
        seen=bool(own["seen_in_training"].any()),
        interval=_interval(specimens),
        verdicts=tuple(found),
    )


def _about(target: Target, scored: pd.DataFrame, model: Model, known: pd.DataFrame) -> Iterator[Verdict]:
    from hepatica.report.page.wording import heading  # brings statistics; a server starts without them

    row: Any
    for row in of_patients(scored, target=target).itertuples():
        of = _word(row.class_or_quantity)
        yield Verdict(
            heading=heading(target),
            of=of,
            score=float(row.score),
            unit=model.unit(target, of),
            digits=3 if target.task in ("binary", "multi_class", "survival") else 2,
            group=_word(row.group),
            cutoff=model.cutoffs.get(target.key),
            spreads=tuple(_spreads(known, target, of, float(row.score))),
        )


def _interval(own: pd.DataFrame) -> str:
    """Of one specimen that has a risk score with its range over images."""
    if len(own) != 1 or not {"risk", "low", "high", "images"} <= set(own):
        return ""
    low, risk, high, images = (own[name].astype(float).iloc[0] for name in ("low", "risk", "high", "images"))
    if np.isnan([low, risk, high]).any():
        return ""
    return f"risk score {risk:.2f}, 95% interval {low:.2f} to {high:.2f} over {images:.0f} images"


def _spreads(known: pd.DataFrame, target: Target, of: str, score: float) -> Iterator[Spread]:
    if known.empty:
        return
    rows = known[known["specimen_id"].isna() & known["lesion_id"].isna() & is_about(known, target=target)]
    rows = rows[rows["score"].notna() & (rows["class_or_quantity"].fillna("") == of)]
    for fold, words in FOLDS.items():
        for cohort, own in rows[rows["fold"] == fold].groupby("cohort", sort=False):
            scores = np.sort(own["score"].to_numpy(float))
            yield Spread(name=f"{words}, {cohort}", scores=scores, below=float((scores < score).mean()))


def drawn(verdict: Verdict) -> dict[str, Any]:
    """Places, in a picture 340 wide, of the dots of each group, the cut-off and the score, and the ends of its axis."""
    every = np.concatenate([[verdict.score], *(each.scores for each in verdict.spreads)])
    low, high = float(every.min()), float(every.max())
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return round(5 + 330 * (value - low) / span, 1)

    rows = [
        {"name": each.name, "n": len(each.scores), "below": each.below, "dots": [place(x) for x in _few(each.scores)]}
        for each in verdict.spreads
    ]
    cutoff = verdict.cutoff if verdict.cutoff is not None and low <= verdict.cutoff <= high else None
    return {
        "rows": rows,
        "height": 34 * len(rows) + 16,
        "here": place(verdict.score),
        "cutoff": None if cutoff is None else place(cutoff),
        "low": f"{low:.3g}",
        "high": f"{high:.3g}",
    }


def _few(scores: np.ndarray) -> np.ndarray:
    if len(scores) <= MOST:
        return scores
    return np.asarray(scores[np.linspace(0, len(scores) - 1, MOST).round().astype(int)])


def _word(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
