"""Subtypes: the size of each, and whether survival differs between them."""

from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Target
from hepatica.report.chapters.follow_up.survival import TALL, competing, free_of, log_rank
from hepatica.report.figures.kaplan_meier import Arm, paint
from hepatica.report.page import Gallery, Results, Run, Section, Text
from hepatica.report.page.metric_table import metric_rows, target_table
from hepatica.report.page.style import HIGH, LOW, SERIES
from hepatica.report.page.wording import share

NOTE = (
    "Subtypes selected by survival differ in survival among the patients in whom they were found, even if survival"
    " is permuted among them. How often that happens, and how stable the clusters are, is listed with the facts of"
    " the locked model (Settings, versions and digests). The patients shown here were not used to find the subtypes."
)


def section(run: Run, gallery: Gallery) -> Section:
    """Kaplan-Meier curves by subtype; sizes, log-rank tests and C-index."""
    figure = gallery.by_target(
        "subtypes",
        [(each, target) for target in run.targets for each in run.cohorts],
        _paint,
        alt="Kaplan-Meier curves of the subtypes",
        caption="Kaplan-Meier curves by the most probable subtype. Shaded: 95% intervals; ticks: censored patients.",
        size=TALL,
        columns=run.columns,
    )
    table = target_table(
        run,
        lambda target: [*metric_rows(run, METRICS, target=target), *_sizes(run, target)],
        caption="Survival by subtype, with 95% confidence intervals.",
        note="C-index: of the expected subtype. Permutation: subtypes permuted among patients.",
    )
    return Section(
        anchor="subtypes",
        title="Survival by subtype",
        blocks=[figure, *competing(run.targets), table, Text(text=NOTE, tone="note")],
    )


COLOURS = (HIGH, LOW, *SERIES[2:])
"""Of the subtypes, that of the most events first."""

METRICS = ("c_index", "log_rank_p", "log_rank_permutation_p")


def arms(results: Results, target: Target) -> list[Arm]:
    """One a subtype, of the patients that are reported."""
    outcomes = results.outcomes(target)
    names = sorted(outcomes["group"].unique())
    return [
        Arm(name=name, colour=COLOURS[place % len(COLOURS)], patients=outcomes[outcomes["group"] == name])
        for place, name in enumerate(names)
    ]


def _paint(figure: Drawing, *, results: Results, target: Target) -> None:
    note = log_rank(results.metric("log_rank_p", target))
    paint(figure, drawn=arms(results, target), title=results.title, note=note, ylabel=free_of(target))


def _sizes(run: Run, target: Target) -> list[list[str]]:
    found = [{each.name: len(each.patients) for each in arms(results, target)} for results in run.cohorts]
    names = sorted({name for each in found for name in each})
    return [[name, *(share(each.get(name, 0), sum(each.values())) for each in found)] for name in names]
