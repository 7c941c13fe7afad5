"""Picture: one patient's course of values or codes, and how far each moves the score."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hepatica.clinical.claims import CodeStore
from hepatica.clinical.visits import VisitStore
from hepatica.cohort import Specimen
from hepatica.protocol.row_picture import MOVES, saved

CODES = 25
"""Codes that a picture shows. Ours."""


def draw_visits(
    specimen: Specimen,
    *,
    material: VisitStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write the score at each visit, and how far it moves at the landmark when a value is taken for not measured
    (`_course.png`); `regions` are the patient's visits with their scores, the rest as in `draw_row`.
    """
    own = material.select(specimen_ids=[specimen.specimen_id]).at_landmark()
    history = own.read(np.arange(1))
    names, months = own.columns, history[0, :, 0]
    moved = saliency(history)[0, :, 1 : 1 + len(names)]
    figure = Figure(figsize=(6.4, 0.28 * len(names) + 3.2), dpi=150, layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(2, 0.28 * len(names)))
    above.plot(regions["months"], regions["score"], marker=".", color=MOVES)
    above.set_ylim(0, 1)
    above.axvline(months[-1], color="0.5", linewidth=0.8)
    at = regions.loc[regions["landmark"], "score"]
    above.set_title(f"{meaning}: {float(at.iloc[0]):.2f} at month {months[-1]:g}", loc="left", fontsize=9)
    above.set_xlabel("Months since the index date", fontsize=8)
    above.set_ylabel("Score", fontsize=8)
    below.imshow(moved.T, aspect="auto", cmap="Oranges", vmin=0, vmax=1)
    below.set_yticks(range(len(names)), names)
    below.set_xticks(range(len(months)), [f"{each:.0f}" for each in months])
    below.set_xlabel(f"Visit, month; darker: larger change in score if the value is missing\n{note}", fontsize=8)
    for axes in (above, below):
        axes.tick_params(labelsize=7)
    return saved(figure, stem.with_name(f"{stem.name}_course.png"))


def draw_codes(
    specimen: Specimen,
    *,
    material: CodeStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write each code against the months in which it was claimed, the darker the more the score rests on it
    (`_codes.png`), of at most CODES codes; the rest is as in `draw_row`.
    """
    history = material.select(specimen_ids=[specimen.specimen_id]).read(np.arange(1))
    moved = saliency(history)[0]
    claimed = np.flatnonzero(history[0].any(axis=0))
    chosen = claimed[np.argsort(-moved[:, claimed].sum(axis=0), kind="stable")][:CODES]
    figure = Figure(figsize=(6.4, 0.25 * len(chosen) + 1.4), dpi=150, layout="constrained")
    axes = figure.subplots()
    months, codes = np.nonzero(history[0][:, chosen])
    weight = moved[months, chosen[codes]]
    axes.scatter(months - material.months, codes, c=weight, cmap="Oranges", vmin=-0.3, vmax=1, marker="s", s=18)
    axes.set_yticks(range(len(chosen)), [material.columns[each] for each in chosen])
    axes.set_title(f"{meaning}: {float(regions['score'].iloc[0]):.2f}", loc="left", fontsize=9)
    axes.set_xlabel(f"Months from the landmark; darker: larger influence on the score\n{note}", fontsize=8)
    axes.set_xlim(-material.months, 0)
    axes.tick_params(labelsize=7)
    return saved(figure, stem.with_name(f"{stem.name}_codes.png"))
