"""Tabular: values are standardised by the training patients; a missing one is at their mean, and known as missing."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier

from hepatica.networks import Boosted, Trees
from hepatica.networks.tabular import Standardise, Tabular

VALUES = np.array([[1, np.nan, 7, np.nan], [3, np.nan, 7, 2], [5, np.nan, 7, 4]], np.float32)


@pytest.fixture
def fitted() -> Standardise:
    """Of a plain column, one missing throughout, a constant one, and one missing once."""
    standardise = Standardise(4)
    standardise.fit(VALUES)
    return standardise


def test_values_are_less_the_mean_and_over_the_sd(fitted: Standardise) -> None:
    scaled, missing = fitted(torch.from_numpy(VALUES)).chunk(2, dim=1)
    sd = np.std([1, 3, 5])
    np.testing.assert_allclose(scaled[:, 0], [-2 / sd, 0, 2 / sd], rtol=1e-6)
    np.testing.assert_allclose(scaled[:, 3], [0, -1, 1], rtol=1e-6)
    assert (scaled[:, 1:3] == 0).all()
    assert torch.equal(missing, torch.from_numpy(np.isnan(VALUES)).float())


def test_new_patients_do_not_change_what_was_fitted(fitted: Standardise) -> None:
    new = torch.tensor([[9.0, 4.0, 8.0, 3.0]])
    sd = np.std([1, 3, 5])
    np.testing.assert_allclose(fitted(new)[0, :4], [6 / sd, 4, 1, 0], rtol=1e-6)
    assert set(fitted.state_dict()) == {"mean", "sd", "gaps"}


@pytest.mark.parametrize(("hidden", "weights"), [((), 8 * 3 + 3), ((5,), 8 * 5 + 5 + 2 * 5 + 5 * 3 + 3)])
def test_a_linear_model_or_layers_between(hidden: tuple[int, ...], weights: int) -> None:
    network = Tabular(4, outputs=3, hidden=hidden)
    assert sum(each.numel() for each in network.parameters()) == weights
    read = network(torch.from_numpy(VALUES))
    assert read.logits.shape == (3, 3)
    assert read.logits.isfinite().all()
    assert read.signature.shape == (3, 8)


def test_what_was_never_missing_in_training_adds_nothing_when_it_is_missing() -> None:
    standardise = Standardise(2)
    standardise.fit(np.array([[1, 4], [3, np.nan], [5, 6]], np.float32))
    lost = standardise(torch.tensor([[np.nan, np.nan]]))
    assert lost.tolist() == [[0, 0, 0, 1]]


def test_trees_by_hand() -> None:
    # Two stumps on columns 0 and 1: above 0.5 gives 3 instead of 1; above 2 gives 10 instead of -10.
    trees = Trees(2, depth=1)
    trees.column[:, 0] = torch.tensor([0, 1])
    trees.threshold[:, 0] = torch.tensor([0.5, 2.0])
    trees.value[:] = torch.tensor([[0.0, 1, 3], [0, -10, 10]])
    found = trees(torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 5.0], [0.5, 2.0]]))
    assert found.tolist() == [-9, -7, 13, -9]


def test_boosted_trees_give_what_scikit_learn_gives() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, size=(80, 6)).astype(np.float32)
    values[4, 2] = np.nan
    label = (values[:, 0] * values[:, 1] > 9).astype(int)
    network = Boosted(6, trees=20, depth=3)
    network.kept[5] = 0
    network.fit(values, label, seed=0, learning_rate=0.3)
    scaled = np.nan_to_num((values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0))
    scaled[:, 5] = 0
    wanted = GradientBoostingClassifier(n_estimators=20, max_depth=3, learning_rate=0.3, random_state=0)
    wanted.fit(scaled.astype(np.float32), label)
    found = network(torch.from_numpy(values))
    np.testing.assert_allclose(found.logits[:, 0], wanted.decision_function(scaled.astype(np.float32)), atol=1e-3)
    assert (found.signature[:, 5] == 0).all()


def test_a_classification_tree_gives_what_scikit_learn_gives() -> None:
    rng = np.random.default_rng(0)
    values, label = rng.normal(size=(150, 4)).astype(np.float32), rng.integers(0, 2, 150)
    label[:100] = values[:100, 1] > 0.3
    for depth in (1, 3):
        fitted = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(values, label)
        trees = Trees(1, depth=depth)
        trees.plant([fitted.tree_])
        wanted = fitted.predict_proba(values)[:, 1]
        np.testing.assert_allclose(trees(torch.from_numpy(values)), wanted, atol=1e-6)
