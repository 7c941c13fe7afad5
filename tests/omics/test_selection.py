"""Selection: statistics of many genes at once against one model a gene."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, ttest_ind
from statsmodels.duration.hazard_regression import PHReg

from hepatica.evaluate.survival.kaplan_meier import log_rank_p
from hepatica.omics.path_vectors import cox_statistics, lasso_statistics, t_statistics

RNG = np.random.default_rng(4)
LABEL = np.arange(40) % 3 == 0
VALUES = RNG.normal(size=(40, 60)) + LABEL[:, None] * np.linspace(0, 2, 60)
TIME, EVENT = RNG.integers(1, 15, 40).astype(float), RNG.random(40) < 0.6


def test_t_is_that_of_a_test_a_gene() -> None:
    found = t_statistics(VALUES, label=LABEL)
    np.testing.assert_allclose(found, np.abs(ttest_ind(VALUES[LABEL], VALUES[~LABEL]).statistic), rtol=1e-10)


def test_cox_is_the_score_test_of_a_model_a_gene() -> None:
    found = cox_statistics(VALUES, time=TIME, event=EVENT)
    for place in (0, 17, 59):
        model = PHReg(TIME, VALUES[:, [place]], status=EVENT, ties="breslow")
        wanted = abs(model.score(np.zeros(1))[0]) / np.sqrt(-model.hessian(np.zeros(1))[0, 0])
        assert found[place] == pytest.approx(wanted, rel=1e-8)


def test_cox_of_two_groups_without_ties_is_the_log_rank_test() -> None:
    time = TIME + RNG.permutation(40) / 100
    (z,) = cox_statistics(LABEL[:, None].astype(float), time=time, event=EVENT)
    assert 2 * norm.sf(z) == pytest.approx(log_rank_p(time, event=EVENT, group=LABEL).value, rel=1e-6)


def test_the_gene_that_follows_the_label_most_enters_the_lasso_first() -> None:
    """At the first step below the penalty that keeps every gene out: |r| times the SD of the label."""
    found = lasso_statistics(VALUES, label=LABEL.astype(float))
    r = np.abs([np.corrcoef(gene, LABEL)[0, 1] for gene in VALUES.T])
    assert np.argmax(found) == np.argmax(r)
    assert found.max() == pytest.approx(r.max() * LABEL.std() * 0.01 ** (1 / 99), rel=1e-6)
    assert 1 < np.count_nonzero(found) < 50


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_a_gene_that_is_constant_or_has_a_missing_value_has_none(value: float) -> None:
    values = VALUES.copy()
    values[:, 5] = 7.0
    values[3, 5] = value
    for found in (
        t_statistics(values, label=LABEL),
        cox_statistics(values, time=TIME, event=EVENT),
        lasso_statistics(values, label=LABEL.astype(float)),
    ):
        assert found[5] == 0
        assert np.isfinite(pd.Series(found)).all()
