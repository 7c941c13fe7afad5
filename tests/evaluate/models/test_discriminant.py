"""Discriminant: the closed form, and scikit-learn's numbers as plain weights."""

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from hepatica.cohort import EvaluationError
from hepatica.evaluate.models.discriminant import fit_discriminant


def cohort(n: int = 40, k: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    return rng.normal(size=(n, k)) * np.arange(1, k + 1) + label[:, None], label


def test_weights_give_what_scikit_learn_predicts() -> None:
    features, label = cohort()
    found = fit_discriminant(features, label=label)
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5]).fit(features, label)
    np.testing.assert_allclose(found.log_odds(features), peer.decision_function(features))
    np.testing.assert_allclose(found.probability(features), peer.predict_proba(features)[:, 1])


def test_one_feature_is_the_formula() -> None:
    # One feature has nothing to shrink towards: log-odds = (m1 - m0) / s2 (x - (m0 + m1) / 2).
    features, label = cohort(k=1)
    x = features[:, 0]
    m0, m1 = x[label == 0].mean(), x[label == 1].mean()
    s2 = (x[label == 0].var() + x[label == 1].var()) / 2
    found = fit_discriminant(features, label=label)
    np.testing.assert_allclose(found.log_odds(features), (m1 - m0) / s2 * (x - (m0 + m1) / 2))
    assert ledoit_wolf(features)[1] == 0


def test_fewer_patients_than_features_have_weights_too() -> None:
    features, label = cohort(n=8, k=30)
    assert np.isfinite(fit_discriminant(features, label=label).weights).all()


@pytest.mark.parametrize(
    ("features", "label", "message"),
    [
        ([[1.0], [2.0], [3.0]], [0, 0, 1], "one case of a class"),
        ([[1.0], [np.nan], [3.0], [4.0]], [0, 0, 1, 1], "finite"),
        ([[1.0], [2.0]], [0, 0, 1, 1], "for 4 labels"),
        ([[1.0], [2.0]], [1, 1], "with 0 and with 1"),
    ],
)
def test_bad_tables_are_refused(features: list[list[float]], label: list[int], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        fit_discriminant(features, label=label)
