import numpy as np
import torch
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier

from hepatica.networks import Boosted, Trees


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
