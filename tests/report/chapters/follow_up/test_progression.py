from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hepatica.evaluate import compare_groups, linear
from hepatica.report.chapters.follow_up.progression import groups, section
from hepatica.report.page.blocks import Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.wording import interval


@pytest.fixture
def run(finished: Path) -> Run:
    return read_run(finished, external=[finished / "external" / "hospital_b"])


@pytest.fixture
def gallery(tmp_path: Path, sketchbook: Callable[..., Gallery]) -> Gallery:
    return sketchbook(tmp_path)


def test_groups_are_those_of_the_locked_cutoff(run: Run) -> None:
    target = run.targets[0]
    high, low = groups(run.internal, target)
    assert high.patients["score"].min() >= run.cutoffs[target.key] > low.patients["score"].max()
    assert len(high.patients) + len(low.patients) == len(run.internal.outcomes(target))


def test_every_target_and_cohort_has_its_panels_and_numbers(run: Run, gallery: Any) -> None:
    found = section(run, gallery)
    assert len(gallery.words) == 2 * len(run.targets) * len(run.cohorts)
    table = found.blocks[-1]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows if len(row) == 1] == [each.label.capitalize() for each in run.targets]
    high, low = groups(run.internal, run.targets[0])
    expected = compare_groups(high.patients["time"], second=low.patients["time"])
    told = next(row for row in table.rows if row[0] == "Difference in months")
    assert told[1] == interval(expected.difference.as_dict(), digits=1)
    trace = next(row for row in table.rows if row[0] == "How it was chosen")
    assert trace[1].startswith(f"High risk, {len(high.patients)} patients: Shapiro-Wilk P = ")


def test_the_slope_is_told_for_a_tenth_of_the_score(run: Run, gallery: Any) -> None:
    outcomes = run.internal.outcomes(run.targets[0])
    slope = linear(outcomes["time"], x=outcomes["score"]).slope.value / 10
    table = section(run, gallery).blocks[-1]
    assert isinstance(table, Table)
    told = next(row for row in table.rows if row[0].startswith("Slope"))
    assert float(told[1].split(" ")[0]) == pytest.approx(slope, abs=0.05)
    assert np.sign(slope) == -1


def test_face_value_is_confessed(run: Run, gallery: Any) -> None:
    assert "counts as if recurrence had happened then" in str(section(run, gallery).blocks[0])


def test_cohorts_too_small_to_compare(make_run: Callable[..., tuple[Path, list[Path]]], gallery: Any) -> None:
    path, external = make_run(patients=12, treated=False)
    table = section(read_run(path, external=external), gallery).blocks[-1]
    assert isinstance(table, Table)
    assert "not computable" in " ".join(cell for row in table.rows for cell in row)
