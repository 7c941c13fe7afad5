from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_runs import seal_tables

from hepatica.evaluate import kaplan_meier, standardised_difference
from hepatica.report.chapters.shift import section
from hepatica.report.page.blocks import Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run

Sketch = Callable[[Path], Gallery]


@pytest.fixture
def run(finished: Path) -> Run:
    return read_run(finished, external=[finished / "external" / "hospital_b"])


@pytest.fixture
def tables(run: Run, tmp_path: Path, sketchbook: Sketch) -> dict[str, dict[str, list[str]]]:
    """Rows of each table by their first cell, by the first word of its caption."""
    blocks = section(run, sketchbook(tmp_path)).blocks
    return {
        block.caption.split(" ")[0]: {row[0]: list(row[1:]) for row in block.rows}
        for block in blocks
        if isinstance(block, Table)
    }


def test_case_mix_is_against_the_patients_learnt_from(run: Run, tables: dict[str, dict[str, list[str]]]) -> None:
    patients = run.internal.patients
    learnt = patients.loc[patients["fold"].isin(["train", "validation"]), "age_years"]
    away = run.external[0].patients.query("fold == 'external'")["age_years"]
    internal, external = tables["Case"]["Age (years)"]
    assert external.split()[0] == f"{standardised_difference(learnt, second=away):.2f}"
    test = patients.loc[patients["fold"] == "test", "age_years"]
    assert internal.split()[0] == f"{standardised_difference(learnt, second=test):.2f}"


def test_event_rates_are_kaplan_meiers(run: Run, tables: dict[str, dict[str, list[str]]]) -> None:
    target = run.targets[0]
    away = run.external[0].outcomes(target)
    free = kaplan_meier(away["time"], event=away["event"]).survival_at(12)
    assert free.low is not None
    assert free.high is not None
    told = tables["Event"]["Recurrence at 12 months: share with the event"]
    assert told[2] == f"{1 - free.value:.3f} ({1 - free.high:.3f} to {1 - free.low:.3f})"
    training, _, external = (float(each.split()[0]) for each in told)
    difference = tables["Event"]["Recurrence at 12 months: difference"][2]
    assert float(difference.split()[0]) == pytest.approx(external - training, abs=0.0011)


def test_median_follow_up_counts_events_as_censored(run: Run, tables: dict[str, dict[str, list[str]]]) -> None:
    away = run.external[0].outcomes(run.targets[0])
    reverse = kaplan_meier(away["time"], event=1 - away["event"])
    median = reverse.time[np.argmax(reverse.survival <= 0.5)]
    assert tables["Event"]["Recurrence: median follow-up, months"][2] == f"{median:.1f}"
    assert median > away["time"].median()


def test_scores_of_training_patients_are_not_shown(tables: dict[str, dict[str, list[str]]]) -> None:
    told = [cells for name, cells in tables["Event"].items() if name.startswith("Score")]
    assert len(told) == 6
    assert all(cells[0] == "\N{EN DASH}" for cells in told)


def test_stains_of_the_other_hospital_are_seen(tables: dict[str, dict[str, list[str]]]) -> None:
    # The fixture lowers the blue of hospital B by many spreads, and leaves the internal test as it is.
    internal, external = (float(each.split()[0]) for each in tables["Stains"]["Haematoxylin: blue component"][3:])
    assert internal < 0.5 < 3 < external


def test_a_covariate_the_other_cohort_lacks_is_a_dash(
    make_run: Callable[..., tuple[Path, list[Path]]], tmp_path: Path, sketchbook: Sketch
) -> None:
    folder, external = make_run()
    away = pd.read_parquet(external[0] / "patients.parquet").drop(columns="sex")
    away.to_parquet(external[0] / "patients.parquet")
    seal_tables(external[0])
    blocks = section(read_run(folder, external=external), sketchbook(tmp_path)).blocks
    [table] = [block for block in blocks if isinstance(block, Table) and "Case mix" in block.caption]
    assert {row[0]: row[2] for row in table.rows}["Sex"] == "\N{EN DASH}"


def test_leaving_out_short_follow_up_is_said_to_raise_the_shares(
    make_run: Callable[..., tuple[Path, list[Path]]], tmp_path: Path, sketchbook: Sketch
) -> None:
    folder, external = make_run()
    path = external[0] / "patients.parquet"
    away = pd.read_parquet(path)
    left = away.index[away["fold"] == "external"][:2]
    for fold, told in (("external", False), ("short_follow_up", True)):
        away.assign(fold=away["fold"].mask(away.index.isin(left), fold)).to_parquet(path)
        seal_tables(external[0])
        blocks = section(read_run(folder, external=external), sketchbook(tmp_path)).blocks
        [table] = [block for block in blocks if isinstance(block, Table) and "Event rate" in block.caption]
        assert ("without 2 patients whose event-free follow-up was too short" in str(table.note)) is told
