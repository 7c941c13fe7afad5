from pathlib import Path

from hepatica.report.page.metric_table import metric_cell, metric_rows, metric_table, target_table
from hepatica.report.page.results import read_run


def test_each_target_has_its_metrics_and_each_cohort_a_column(finished: Path) -> None:
    run = read_run(finished, external=[finished / "external" / "hospital_b"])
    table = metric_table(run, ["auroc", "brier"], caption="Caption", note="Note")
    assert list(table.header) == ["", "Internal test: Hospital A", "External: Hospital B"]
    first = run.targets[0]
    assert table.rows[0] == ["Recurrence at 12 months"]
    assert table.rows[1:3] == metric_rows(run, ["auroc", "brier"], target=first)
    assert [row[0] for row in table.rows] == [
        name for target in run.targets for name in (target.label.capitalize(), "AUROC", "Brier score")
    ]
    told = table.rows[1][2]
    assert told.startswith(f"{run.external[0].metric('auroc', first)['value']:.3f} (")


def test_rows_are_asked_for_each_target(finished: Path) -> None:
    run = read_run(finished, external=[])
    table = target_table(run, lambda target: [["key", target.key]], caption="Caption", note="")
    assert [row[1] for row in table.rows if len(row) > 1] == [target.key for target in run.targets]


def test_calls_are_those_at_the_locked_cutoff(diagnosed: Path) -> None:
    run = read_run(diagnosed, external=[diagnosed / "external" / "hospital_b"])
    [target], results = run.targets, run.external[0]
    locked, even = (
        results.metric("sensitivity", target, cutoff=cutoff)["value"] for cutoff in (run.cutoffs[target.key], 0.5)
    )
    assert locked != even
    assert metric_cell(run, results, "sensitivity", target=target).startswith(f"{locked:.3f} (")
