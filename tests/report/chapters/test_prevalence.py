from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.report.chapters.prevalence import prevalence, prevalence_blocks
from hepatica.report.page.blocks import Figure, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.groups import compared_groups
from hepatica.report.page.results import Run, read_run

Sketch = Callable[[Path], Gallery]


@pytest.fixture
def run(diagnosed: Path) -> Run:
    return read_run(diagnosed, external=[diagnosed / "external" / "hospital_b"])


def test_prevalence_has_exact_limits() -> None:
    found = prevalence(pd.Series([1.0, 1.0, 0.0, np.nan]))
    assert (found.value, found.n) == (pytest.approx(2 / 3), 3)
    # Clopper and Pearson for 2 of 3: quantiles of the beta distributions (2, 2) and (3, 1).
    assert (found.low, found.high) == (pytest.approx(0.0943, abs=1e-4), pytest.approx(0.9916, abs=1e-4))


def test_each_panel_is_of_patients_of_one_kind(
    run: Run, tmp_path: Path, sketchbook: Sketch, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[int]] = []
    monkeypatch.setattr(
        "hepatica.report.chapters.prevalence.paint_scores",
        lambda figure, *, scores, title, cutoff: drawn.append([len(values) for _, values in scores]),
    )
    prevalence_blocks(run, compared_groups(run), sketchbook(tmp_path))
    labels = [each.outcomes(run.targets[0])["label"] for each in run.cohorts]
    assert drawn == [[(label == kind).sum() for label in labels] for kind in (1, 0)]


def test_nobody_known_has_no_prevalence() -> None:
    assert np.isnan(prevalence(pd.Series([np.nan])).value)


def test_shares_and_scores_are_of_each_cohort(run: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    figure, table = prevalence_blocks(run, compared_groups(run), sketchbook(tmp_path))
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    rows = {row[0]: list(row[1:]) for row in table.rows}
    label = run.external[0].outcomes(run.targets[0])["label"]
    assert rows["HCC: share of patients"][2].startswith(f"{label.mean():.3f} (")
    training, external = (float(rows["HCC: share of patients"][place].split()[0]) for place in (0, 2))
    assert float(rows["HCC: difference"][2].split()[0]) == pytest.approx(external - training, abs=0.0011)
    assert rows["Score HCC: called HCC"][0] == "\N{EN DASH}"  # the model has seen these patients
    assert [panel.alt.split(" in ")[0] for panel in figure.panels] == [
        "Distribution of the score of patients with HCC",
        "Distribution of the score of patients with no HCC",
    ]
