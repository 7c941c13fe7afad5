"""Calibration curve: observed share with the event against the score; and the net benefit of acting on the score."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError
from hepatica.evaluate import Observed, calibration_curve, net_benefit
from hepatica.evaluate.binary.smooth_calibration import smooth_calibration
from hepatica.evaluate.inputs import Floats
from hepatica.report.page.style import HIGH, INK, LOW, QUIET, say, unit_square

PATIENTS_A_GROUP = 10
"""Patients a point of the curve should rest on, at least; up to ten points are drawn. Ours."""


Known = tuple[Observed, Floats]
"""What is known of the outcome of patients (n,), and their scores (n,), probabilities."""


def paint(figure: Drawing, *, known: Callable[[], Known], of: str, title: str) -> None:
    """Draw groups of patients and a smooth curve over a diagonal of perfect scores.

    `known` raises EvaluationError where all have the same outcome; `of` is what the share is of: patients with the
    event, or with HCC.
    """
    axes = figure.subplots()
    axes.set_title(title)
    try:
        outcome, score = known()
        groups = calibration_curve(outcome, score=score, groups=max(2, min(10, score.size // PATIENTS_A_GROUP)))
    except EvaluationError:
        say(axes, "All patients have the same outcome:\ncalibration cannot be judged.")
        return
    smooth = smooth_calibration(outcome, score=score)
    if smooth is not None:
        axes.fill_between(smooth.score, smooth.low, smooth.high, color=QUIET, alpha=0.2, linewidth=0)
        axes.plot(smooth.score, smooth.observed, color=QUIET)
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=":")
    for group in groups:
        axes.vlines(group.score, group.observed.low or 0.0, group.observed.high or 1.0, color=INK, linewidth=1)
    axes.plot(
        [group.score for group in groups], [group.observed.value for group in groups], "o", color=INK, markersize=4.5
    )
    for label, edge, colour in ((True, 1.0, HIGH), (False, 0.0, LOW)):
        scores = score[(outcome.event == label) & (outcome.weight > 0)]
        axes.plot(scores, [edge] * len(scores), "|", color=colour, markersize=6, clip_on=False)
    unit_square(axes, xlabel="Score", ylabel=f"Observed share with {of}")


THRESHOLDS = np.linspace(0.02, 0.98, 49)


def paint_decision(
    figure: Drawing,
    *,
    known: Callable[[], Known],
    title: str,
    name: str = "Score",
    other: tuple[str, Floats] | None = None,
) -> None:
    """Net benefit of treating patients above each threshold, beside that of treating all and none; `known` as above.

    `name` is that of the score; `other` has the name of another score (n,) of the same patients.
    """
    axes = figure.subplots()
    axes.set_title(title)
    try:
        outcome, own = known()
        drawn = [(name, own, HIGH, "-"), ("Treat all", np.ones(own.size), INK, "--")]
        drawn += [(*other, LOW, "-")] if other else []
        for label, score, colour, style in drawn:
            found = [net_benefit(outcome, score=score, threshold=float(each)).value for each in THRESHOLDS]
            axes.plot(THRESHOLDS, found, style, color=colour, label=label)
    except EvaluationError:
        say(axes, "All patients have the same outcome:\nbenefit cannot be judged.")
        return
    axes.axhline(0, color=QUIET, linewidth=0.8, label="Treat none")
    share = outcome.ratio(outcome.event.astype(float), of=np.ones(own.size))[0]
    axes.set(xlabel="Threshold probability", ylabel="Net benefit", xlim=(0, 1), ylim=(-0.15 * share, 1.1 * share))
    axes.legend()
