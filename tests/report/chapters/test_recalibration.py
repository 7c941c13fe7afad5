from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from hepatica.cohort import Target
from hepatica.cohort.tasks import EXAMINATION
from hepatica.evaluate import brier, recalibrate
from hepatica.report.chapters.calibration import NOT_APPLIED, Update, caution, cross_validated, judged, section, updates
from hepatica.report.page.blocks import Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run

DIAGNOSIS = Target(endpoint="hcc", horizon=EXAMINATION)


@pytest.fixture
def run(finished: Path) -> Run:
    return read_run(finished, external=[finished / "external" / "hospital_b"])


def miscalibrated(n: int) -> pd.DataFrame:
    """Scores whose log odds are twice what they should be and shifted by 1."""
    rng = np.random.default_rng(0)
    log_odds = rng.normal(0, 1, n)
    label = (rng.random(n) < expit(log_odds)).astype(float)
    return pd.DataFrame({"label": label, "score": expit(2 * log_odds + 1)})


def test_an_update_mends_scores_and_both_mend_them_better() -> None:
    known = miscalibrated(400)
    scores = [known["score"], *(cross_validated(known, DIAGNOSIS, slope=slope)["score"] for slope in (False, True))]
    locked, shifted, stretched = (brier(known["label"], score=score).value for score in scores)
    assert stretched < shifted < locked


def test_nobody_is_updated_by_his_own_outcome() -> None:
    # 20 patients of one score, 8 with the event; each fold holds back 4, of whom 1 or 2 have it: of the others, 7 or 6
    # of 16. A fit that had seen everybody would say 8 of 20 for all.
    known = pd.DataFrame({"label": [1.0] * 8 + [0.0] * 12, "score": 0.3})
    found = cross_validated(known, DIAGNOSIS, slope=False)["score"]
    assert found.to_numpy() == pytest.approx(np.where(np.isclose(found, 7 / 16), 7 / 16, 6 / 16))
    assert np.isclose(found, 7 / 16).sum() == 8
    assert found.index.equals(known.index)


def test_numbers_for_practice_are_fitted_on_all(run: Run) -> None:
    [external], target = run.external, run.targets[0]
    locked, shifted, stretched = updates(external, target)
    assert [each.name for each in (locked, shifted, stretched)] == [
        "As locked", "Intercept updated", "Intercept and slope updated"
    ]  # fmt: skip
    outcome, score = judged(external.outcomes(target), target)
    for each, slope in ((shifted, False), (stretched, True)):
        assert each.fitted == recalibrate(outcome, score=score, slope=slope)
    assert locked.fitted is None
    assert shifted.fitted is not None
    assert shifted.fitted.intercept == pytest.approx(external.metric("calibration_intercept", target)["value"])


def test_updates_change_no_other_number_and_say_so(
    run: Run, tmp_path: Path, sketchbook: Callable[[Path], Gallery]
) -> None:
    blocks = section(run, sketchbook(tmp_path)).blocks
    alone = section(read_run(run.folder, external=[]), sketchbook(tmp_path)).blocks
    tables = [block for block in blocks if isinstance(block, Table)]
    assert [NOT_APPLIED in table.caption for table in tables] == [False, True]
    assert len(alone) == 3
    locked = [row for row in tables[1].rows if row[0] == "As locked"]
    assert [row[1] for row in locked] == [
        row[2].replace("\N{NO-BREAK SPACE}", " ") for row in tables[0].rows if row[0] == "Brier score"
    ]
    assert [row[4:] for row in locked] == [["\N{EN DASH}", "\N{EN DASH}"]] * 3


def test_an_update_that_turns_the_order_round_is_no_remedy(run: Run) -> None:
    known = miscalibrated(60)
    target, turned = run.targets[0], recalibrate(1 - known["label"], score=known["score"], slope=True)
    rising = recalibrate(known["label"], score=known["score"], slope=True)
    offered = [Update(name="Intercept and slope updated", known=known, fitted=each) for each in (rising, turned)]
    assert caution([(target, offered[:1])]) == ""
    assert "a slope is not above 0" in caution([(target, offered)])
