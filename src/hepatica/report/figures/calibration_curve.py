"""Calibration curve: observed share with the event against the score; and the net benefit of acting on the score."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError
from hepatica.evaluate import calibration_curve, net_benefit
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


THRESHOLDS = np.linspace(0.02, 0.98, 49)


def paint_decision(figure: Drawing, *, known: pd.DataFrame, title: str) -> None:
    """Net benefit of treating patients above each threshold, beside that of treating all and none.

    `known` are patients whose label is known (columns label and score, a probability).
    """
    axes = figure.subplots()
    axes.set_title(title)
    label = known["label"].to_numpy()
    drawn = {"Score": (known["score"].to_numpy(), HIGH, "-"), "Treat all": (np.ones(len(known)), INK, "--")}
    try:
        for name, (score, colour, style) in drawn.items():
            found = [net_benefit(label, score=score, threshold=float(each)).value for each in THRESHOLDS]
            axes.plot(THRESHOLDS, found, style, color=colour, label=name)
    except EvaluationError:
        say(axes, "All patients have the same outcome:\nbenefit cannot be judged.")
        return
    axes.axhline(0, color=QUIET, linewidth=0.8, label="Treat none")
    share = float(label.mean())
    axes.set(xlabel="Threshold probability", ylabel="Net benefit", xlim=(0, 1), ylim=(-0.15 * share, 1.1 * share))
    axes.legend()
