"""Lead time: AUROC of early and late cases, by hand."""

import numpy as np
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate.binary.lead_time import lead_time

# Six controls score 1 to 6. Cases at 1, 2, 3 months score above all, those at 10, 11, 12 above three of six.
LABEL = [0] * 6 + [1] * 6
SCORE = [1, 2, 3, 4, 5, 6, 9, 8, 7, 3.5, 3.4, 3.3]
TIME = [36] * 6 + [3, 2, 1, 10, 11, 12]


def test_each_part_of_the_cases_is_against_all_controls() -> None:
    found = lead_time(LABEL, time=TIME, score=SCORE, parts=2)
    assert [(each.first, each.last, each.cases, each.auroc.value) for each in found.parts] == [
        (1, 3, 3, 1.0),
        (10, 12, 3, 0.5),
    ]
    # Ranks of times 3 2 1 4 5 6, of scores 6 5 4 3 2 1: sum of squared differences 9 + 9 + 9 + 1 + 9 + 25 = 62.
    assert found.correlation == pytest.approx(1 - 6 * 62 / (6 * 35))
    assert found.p < 0.1


def test_a_score_that_has_seen_the_outcome_does_not_fall() -> None:
    rng = np.random.default_rng(0)
    label, time = rng.integers(0, 2, 400), rng.uniform(0, 36, 400)
    found = lead_time(label, time=time, score=label + 0.1 * rng.random(400))
    assert [each.auroc.value for each in found.parts] == [1, 1, 1]
    assert found.p > 0.01


def test_too_few_cases_are_refused() -> None:
    with pytest.raises(EvaluationError, match="got 6 cases, wanted 9 or more for 3 parts"):
        lead_time(LABEL, time=TIME, score=SCORE)
