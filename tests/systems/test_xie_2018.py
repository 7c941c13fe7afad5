import numpy as np
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from hepatica.cohort import Split, load_cohort
from hepatica.omics.room import GENES
from hepatica.protocol import Training, override
from hepatica.systems.xie_2018 import PANEL, SYSTEM, build, comparators, train


def test_parameters_and_shape_by_hand() -> None:
    network = build(SYSTEM.settings, pretrained=False)
    trained = sum(each.numel() for each in network.parameters() if each.requires_grad)
    assert trained == 9 * 5 + 5 + 5 + 1  # nine genes, five hidden units, one output
    assert network(torch.zeros(7, 9)).logits.shape == (7, 1)
    assert len(set(PANEL)) == 9


def test_comparators_are_fitted_to_the_training_patients_alone(tmp_path) -> None:
    cohort = load_cohort(GENES.phantom(tmp_path / "cohort", patients=60, seed=5))
    settings = override(SYSTEM.settings, {"epochs": 1})
    material = SYSTEM.prepare(cohort, settings, tmp_path / "prepared")
    ids = list(cohort.patients.index)
    network = build(settings, pretrained=False)
    split = Split(train=tuple(ids[:40]), validation=(), test=tuple(ids[40:]))
    train(
        Training(
            network=network, material=material, cohort=cohort, split=split, settings=settings, folder=tmp_path / "work",
            trainer={}, task=SYSTEM.tasks(settings)[0],
        )
    )  # fmt: skip
    values = material.values.astype(float)
    scaled = (values - values[:40].mean(axis=0)) / values[:40].std(axis=0)
    label = cohort.patients["hcc"].to_numpy(int)
    found = comparators(network, material, cohort)
    for name, model in (("logistic", LogisticRegression()), ("discriminant", LinearDiscriminantAnalysis())):
        wanted = model.fit(scaled[:40], label[:40]).predict_proba(scaled)[:, 1]
        np.testing.assert_allclose(found[name], wanted, atol=1e-3)
