"""Metric table: statistics of metrics.json, a block of rows for each target and a column for each cohort."""

from collections.abc import Callable, Sequence

from hepatica.cohort import Target
from hepatica.evaluate.binary.binary import AT_A_CUTOFF
from hepatica.report.page.blocks import Table
from hepatica.report.page.results import Results, Run
from hepatica.report.page.wording import METRICS, estimate, heading


def metric_table(
    run: Run, names: Sequence[str], *, caption: str, note: str, targets: Sequence[Target] | None = None
) -> Table:
    """The metrics of these names, with their intervals; of these targets, by default all."""
    return target_table(
        run, lambda target: metric_rows(run, names, target=target), caption=caption, note=note, targets=targets
    )


def target_table(
    run: Run,
    rows: Callable[[Target], list[list[str]]],
    *,
    caption: str,
    note: str,
    targets: Sequence[Target] | None = None,
) -> Table:
    """Under a subheading for each target, the rows `rows` makes of it, one cell a cohort."""
    body = [row for target in targets or run.targets for row in ([heading(target)], *rows(target))]
    return Table(caption=caption, header=["", *(each.title for each in run.cohorts)], rows=body, note=note)


def metric_rows(run: Run, names: Sequence[str], *, target: Target) -> list[list[str]]:
    """One row a metric, one cell a cohort after its name."""
    return [[METRICS[name], *(metric_cell(run, each, name, target=target) for each in run.cohorts)] for name in names]


def metric_cell(run: Run, results: Results, name: str, *, target: Target) -> str:
    """A metric of one cohort with its interval; one of calls at the locked cut-off."""
    cutoff = run.cutoffs.get(target.key) if name in AT_A_CUTOFF else None
    return estimate(results.metric(name, target, cutoff=cutoff))
