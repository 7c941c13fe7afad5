"""Calibration: whether of patients with a score of 0.3 about 30 in 100 have the event."""

from functools import partial

from hepatica.cohort import Target
from hepatica.report.chapters.recalibration import recalibration_blocks
from hepatica.report.figures import calibration_curve
from hepatica.report.page.blocks import Figure, Panel, Section, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.metric_table import metric_table
from hepatica.report.page.results import Results, Run
from hepatica.report.page.wording import about, event, when

SHOWN = ("calibration_intercept", "calibration_slope", "brier")


def section(run: Run, gallery: Gallery) -> Section:
    """A calibration panel a target and cohort; intercept, slope and Brier score; updates offered for other cohorts."""
    panels = [_panel(each, target, gallery) for target in run.targets for each in run.cohorts]
    caption = (
        f"Observed share of patients with {event(run.targets[0])} against the mean score, in groups of equal size"
        " ordered by score; bars are 95% intervals. On the diagonal, scores can be read as probabilities. Ticks along"
        " the upper and lower edge are patients with and without it."
    )
    figure = Figure(caption=caption, panels=panels, columns=run.columns)
    blocks = [figure, _table(run), *recalibration_blocks(run, gallery)]
    return Section(anchor="calibration", title="Calibration", blocks=blocks)


def _panel(results: Results, target: Target, gallery: Gallery) -> Panel:
    known = results.outcomes(target).dropna(subset=["label"])
    return gallery.draw(
        f"calibration_{target.key}_{results.key}",
        partial(calibration_curve.paint, known=known, of=event(target), title=f"{results.title}\n{when(target)}"),
        alt=f"Calibration curve of the score for {about(target)} in {results.title}",
    )


def _table(run: Run) -> Table:
    return metric_table(
        run,
        SHOWN,
        caption="Calibration, with 95% confidence intervals.",
        note=f"An intercept above 0: {event(run.targets[0])} is more common than the scores say. A slope below 1:"
        " scores are too extreme. Brier score: mean squared distance of score and outcome, 0 is perfect, and always"
        " saying 0.5 gives 0.25.",
    )
