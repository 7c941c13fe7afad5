"""Zhang 2020: size of the network, its Cox models by hand and against lifelines, and the nomogram of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from lifelines import CoxPHFitter

from hepatica.systems.zhang_2020_tace_sorafenib import SIGNATURE, SYSTEM, fit_cox, nomogram_of

SMALL = replace(SYSTEM.quick, columns=("age", "male"), ridge=0.0)


def test_parameters_and_shape() -> None:
    """DenseNet-121 has 7,978,856, of which 1,025 a class; one output here, and Cox models of 5 and 2 weights."""
    with torch.device("meta"):
        network = SYSTEM.build(replace(SYSTEM.settings, weights="random"), pretrained=False)
        assert network(torch.zeros(2, 3, 224, 224)).logits.shape == (2, 1)
    assert sum(each.numel() for each in network.parameters()) == 7_978_856 - 999 * 1025 + 5 + 2


def test_log_hazards_add_up_by_hand() -> None:
    network = SYSTEM.build(SMALL, pretrained=False)
    network.standardise.fit(np.array([[40, 0], [60, 1]], np.float32))  # means 50 and 0.5, deviations 10 and 0.5
    network.clinical.weight[:] = torch.tensor([[0.3, -0.2]])
    network.combined.weight[:] = torch.tensor([[2.0, 0.5]])
    found = network.judge(torch.tensor([1.5, 0.0]), torch.tensor([[70.0, 1.0], [np.nan, 0.0]]))
    # Clinical: 0.3 × 2 - 0.2 × 1 = 0.4; a missing age counts as the mean: 0.2. Combined: 2 × 1.5 + 0.5 × 0.4 = 3.2.
    torch.testing.assert_close(found, torch.tensor([[3.2, 1.5, 0.4], [0.1, 0.0, 0.2]]))


@pytest.fixture(scope="module")
def followed() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(150, 2))
    time = np.ceil(rng.exponential(20 * np.exp(-values @ [0.8, -0.4])))
    return torch.tensor(values), torch.tensor(np.stack([time, rng.random(150) < 0.7], axis=1))


def test_cox_is_that_of_lifelines(followed) -> None:
    values, outcome = followed
    table = pd.DataFrame(np.c_[values, outcome], columns=["a", "b", "time", "event"])
    wanted = CoxPHFitter().fit(table, "time", "event").params_.to_numpy()
    np.testing.assert_allclose(fit_cox(values, outcome, ridge=0.0)[0], wanted, rtol=1e-4)
    assert (fit_cox(values, outcome, ridge=1.0).abs() < fit_cox(values, outcome, ridge=0.0).abs()).all()


def test_the_nomogram_reads_what_the_model_says(followed) -> None:
    values, outcome = followed
    network = SYSTEM.build(SMALL, pretrained=False)
    table = torch.stack([60 + 10 * values[:, 0], (values[:, 1] > 0).double()], dim=1).float()
    network.standardise.fit(table.numpy())
    network.clinical.weight[:] = torch.tensor([[0.6, -0.3]])
    network.combined.weight[:] = torch.tensor([[1.5, 0.8]])
    signature = values[:, 1].float()
    found = nomogram_of(network, signature, table, outcome)
    judged = network.judge(signature, table)[:, 0]
    slope = 0.8 * 0.6 / float(network.standardise.sd[0])
    ages = {float(mark): each for mark, each in found.scales["age"].items()}
    assert list(ages.values()) == pytest.approx([slope * age for age in ages])
    assert found.scales["male"] == pytest.approx({"0": 0, "1": 0.8 * -0.3 / float(network.standardise.sd[1])})
    assert all(each == pytest.approx(1.5 * float(mark)) for mark, each in found.scales[SIGNATURE].items())
    assert list(found.outcomes) == ["Survival to 12 months", "Survival to 24 months"]
    # Predictors of the nomogram and of the network differ by a constant: the same survival at the same patient.
    own = 1.5 * float(signature[0]) + slope * float(table[0, 0]) + found.scales["male"]["1"] * float(table[0, 1])
    other = 1.5 * float(signature[1]) + slope * float(table[1, 0]) + found.scales["male"]["1"] * float(table[1, 1])
    assert own - other == pytest.approx(float(judged[0] - judged[1]), abs=1e-4)
