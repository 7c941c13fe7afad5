"""Calibration curve: observed share of patients with the event against their score, in groups of equal size."""

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError
from hepatica.evaluate import calibration_curve
from hepatica.report.page.style import HIGH, INK, LOW, QUIET, say, unit_square

PATIENTS_A_GROUP = 10
"""Patients a point of the curve should rest on, at least; up to ten points are drawn. Ours."""


def paint(figure: Drawing, *, known: pd.DataFrame, of: str, title: str) -> None:
    """Draw the curve of patients whose label is known (columns label and score) over a diagonal of perfect scores.

    `of` is what the share is of: patients with the event, or with HCC.
    """
    axes = figure.subplots()
    axes.set_title(title)
    try:
        count = max(2, min(10, len(known) // PATIENTS_A_GROUP))
        groups = calibration_curve(known["label"].to_numpy(), score=known["score"].to_numpy(), groups=count)
    except EvaluationError:
        say(axes, "All patients have the same outcome:\ncalibration cannot be judged.")
        return
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=":")
    for group in groups:
        axes.vlines(group.score, group.observed.low or 0.0, group.observed.high or 1.0, color=INK, linewidth=1)
    axes.plot(
        [group.score for group in groups], [group.observed.value for group in groups], "o-", color=INK, markersize=4.5
    )
    for label, edge, colour in ((1, 1.0, HIGH), (0, 0.0, LOW)):
        scores = known.loc[known["label"] == label, "score"]
        axes.plot(scores, [edge] * len(scores), "|", color=colour, markersize=6, clip_on=False)
    unit_square(axes, xlabel="Score", ylabel=f"Observed share with {of}")
