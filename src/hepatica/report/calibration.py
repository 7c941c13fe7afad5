"""Calibration: whether of patients with a score of 0.3 about 30 in 100 have the event."""

from functools import partial

from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import calibration_curve
from hepatica.report.blocks import Figure, Section, Table
from hepatica.report.gallery import Gallery
from hepatica.report.metric_table import metric_table
from hepatica.report.results import Results, Run
from hepatica.report.style import HIGH, INK, LOW, QUIET, say, unit_square
from hepatica.report.wording import when

PATIENTS_A_GROUP = 10
"""Patients a point of the curve should rest on, at least; up to ten points are drawn. Ours."""

SHOWN = ("calibration_intercept", "calibration_slope", "brier")


def section(run: Run, gallery: Gallery) -> Section:
    """A calibration panel a target and cohort, and intercept, slope and Brier score."""
    panels = [
        gallery.draw(
            f"calibration_{target.key}_{each.key}",
            partial(_paint, results=each, target=target),
            alt=f"Calibration curve of the score for {target.label} in {each.title}",
        )
        for target in run.targets
        for each in run.cohorts
    ]
    caption = (
        "Observed share of patients with the event against the mean score, in groups of equal size ordered by score;"
        " bars are 95% intervals. On the diagonal, scores can be read as probabilities. Ticks along the upper and lower"
        " edge are patients with and without the event."
    )
    figure = Figure(caption=caption, panels=panels, columns=run.columns)
    return Section(anchor="calibration", title="Calibration", blocks=[figure, _table(run)])


def _paint(figure: Drawing, *, results: Results, target: Target) -> None:
    axes = figure.subplots()
    axes.set_title(f"{results.title}\n{when(target)}")
    known = results.outcomes(target).dropna(subset=["label"])
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
    unit_square(axes, xlabel="Score", ylabel="Observed share with the event")


def _table(run: Run) -> Table:
    return metric_table(
        run,
        SHOWN,
        caption="Calibration, with 95% confidence intervals.",
        note="An intercept above 0: events are more common than the scores say. A slope below 1: scores are too"
        " extreme. Brier score: mean squared distance of score and outcome, 0 is perfect, and"
        " always saying 0.5 gives 0.25.",
    )
