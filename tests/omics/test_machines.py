"""Machines: they read the chosen features alone, give scikit-learn's margins, and do with the tables that there are."""

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC

from hepatica.omics.machines import MultiOmics, fit_machines


def network() -> MultiOmics:
    torch.manual_seed(0)
    return MultiOmics([0] * 6 + [1] * 4, tables=2, most_groups=4, hidden=5, bottleneck=3, dropout=0.0).eval()


def fitted(groups: int):
    rng = np.random.default_rng(3)
    label = rng.integers(0, groups, 90)
    values = rng.normal(size=(90, 10)).astype(np.float32)
    values[:, 1] += 2 * label
    values[:, 7] -= 2 * label
    values[:, 8] = 1
    machines = network()
    machines.standardise.fit(values)
    p = fit_machines(machines, values, label, selected=(2, 1), penalty=2.0)
    return machines, values, label, p


def test_parameters_by_hand() -> None:
    machines = network().machines
    assert sum(each.numel() for each in machines.parameters()) == 3 * (10 * 4 + 4)


@pytest.mark.parametrize("groups", [2, 3])
def test_margins_are_those_of_scikit_learn_of_the_chosen_features(groups: int) -> None:
    machines, values, label, p = fitted(groups)
    read = [np.flatnonzero(each.weight.detach().abs().sum(dim=0)) for each in machines.machines]
    assert [len(each) for each in read] == [3, 2, 1]
    assert {1, 7} <= set(read[0])
    assert p[8] == 1
    assert np.argmin(p[:6]) == 1
    scaled = machines.scaled(torch.from_numpy(values)).numpy()[:, read[0]]
    wanted = LinearSVC(C=0.5, random_state=0, max_iter=100_000).fit(scaled, label).decision_function(scaled)
    with torch.inference_mode():
        found = machines(torch.from_numpy(values)).logits.numpy()
    assert np.isneginf(found[:, groups:]).all()
    found = found[:, 1] - found[:, 0] if groups == 2 else found[:, :groups]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_a_patient_without_a_table_is_called_by_the_machine_of_the_other() -> None:
    machines, values, _, _ = fitted(2)
    lacking = torch.from_numpy(values[:5].copy())
    lacking[:, 6:] = torch.nan
    with torch.inference_mode():
        found = machines(lacking).logits[:, :2]
        wanted = machines.machines[1](machines.scaled(lacking))[:, :2]
    torch.testing.assert_close(found, wanted)
