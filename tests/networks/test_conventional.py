"""Conventional: what is locked says what scikit-learn says."""

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import LinearSVC

from hepatica.networks import Conventional


def test_both_say_what_scikit_learn_says() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 5)).astype(np.float32)
    label = (values[:, 0] + 0.5 * rng.normal(size=60) > 0).astype(np.int64)
    model = Conventional(5, trees=7, depth=4)
    model.fit(values, label, seed=3)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    how = {"class_weight": "balanced", "random_state": 3}
    plane = LinearSVC(C=0.01, max_iter=20_000, **how).fit(scaled, label)
    forest = RandomForestClassifier(7, max_depth=4, **how).fit(scaled, label)
    found = model(torch.from_numpy(values)).numpy()
    np.testing.assert_allclose(found[:, 0], plane.decision_function(scaled), atol=1e-3)
    np.testing.assert_allclose(found[:, 1], forest.predict_proba(scaled)[:, 1], atol=1e-5)


def test_nothing_of_it_is_trained_by_gradients() -> None:
    assert not any(each.requires_grad for each in Conventional(3).parameters())
