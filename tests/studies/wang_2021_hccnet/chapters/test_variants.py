from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.evaluate import auroc
from hepatica.radiology.risk_score import gated, risk_score
from hepatica.report.page.blocks import Figure, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.wording import interval
from hepatica.studies.wang_2021_hccnet.chapters.variants import (
    EVERY,
    NAMES,
    VARIANTS,
    by_number,
    images,
    scores,
    section,
)

Sketch = Callable[[Path], Gallery]

SURE = float(np.log(99))
"""Log-odds of p = 0.99, whose r is 2."""


def seen(count: int, *, patient: str = "P", nodule: float = 5.0) -> pd.DataFrame:
    """A patient whose images all have p = 0.99."""
    return pd.DataFrame(
        {"patient_id": patient, "hcc_log_odds": SURE, "nodule_log_odds": nodule, "label": 1.0}, range(count)
    )


def test_the_printed_formula_divides_twice() -> None:
    found = scores(seen(100), at=0.5).set_index(["gate", "variant"])["score"]
    assert found["none", "as_printed"] == pytest.approx(0.02)
    assert found["none", "weighted_mean"] == pytest.approx(2)
    assert found["none", "unnormalised"] == pytest.approx(0.99 * 2)


def test_a_patient_without_a_flagged_image_scores_0_behind_the_hard_gate() -> None:
    found = scores(seen(3, nodule=-5.0), at=0.5).set_index(["gate", "variant"])["score"]
    assert (found["hard"] == 0).all()
    assert found["soft", "weighted_mean"] < 0.1 < found["none", "weighted_mean"]


def test_fewer_images_raise_the_printed_score_alone() -> None:
    means = by_number(pd.concat([seen(32), seen(16, patient="Q"), seen(5, patient="R").assign(label=0.0)]))
    assert list(means.index) == list(EVERY)
    np.testing.assert_allclose(means["weighted_mean"], 2)
    np.testing.assert_allclose(means["as_printed"], [np.mean([2 / (32 / n), 2 / (16 / n)]) for n in EVERY])


def test_the_table_tells_every_reading_and_which_was_locked(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    _, table, _, figure = section(study, sketchbook(tmp_path)).blocks
    assert isinstance(table, Table)
    assert isinstance(figure, Figure)
    own = images(study.internal)
    gates = [row[0] for row in table.rows if len(row) == 1]
    assert len(gates) == 3
    soft = table.rows[9:12]
    assert [row[0] for row in soft] == [NAMES[variant] for variant in VARIANTS]
    risk = own.groupby("patient_id", sort=False).apply(
        lambda rows: risk_score(
            gated(rows["hcc_log_odds"].to_numpy(), rows["nodule_log_odds"].to_numpy(), gate="soft"),
            variant="unnormalised",
        ),
        include_groups=False,
    )
    label = study.internal.outcomes(study.targets[0])["label"].loc[risk.index]
    assert soft[2][1] == interval(auroc(label, score=risk).as_dict())
    locked = [row for row in table.rows if row[-1] == "locked"]
    assert [row[0] for row in locked] == [NAMES["weighted_mean"]]
    assert [len(figure.panels), figure.panels[0].alt.split(",")[0]] == [
        2, "Mean HCC risk score of patients with HCC against the images read of each",
    ]  # fmt: skip
