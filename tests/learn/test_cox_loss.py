"""Cox loss: the partial likelihood counted by hand, and that of lifelines."""

import numpy as np
import pandas as pd
import pytest
import torch
from lifelines import CoxPHFitter
from statsmodels.duration.hazard_regression import PHReg

from hepatica.learn import cox_loss


def test_three_patients_by_hand():
    """Events at 1 (risk set of 3) and 2 (risk set of 2); all risks equal: (log 3 + log 2) / 2."""
    outcomes = torch.tensor([[1.0, 1], [2, 1], [3, 0]])
    assert cox_loss(torch.zeros(3, 1), outcomes).item() == pytest.approx(np.log(6) / 2)


def test_ties_share_their_risk_set():
    assert cox_loss(torch.zeros(3, 1), torch.tensor([[1.0, 1], [1, 1], [2, 0]])).item() == pytest.approx(np.log(3))


def test_a_batch_without_an_event_is_zero_and_has_a_slope():
    risks = torch.ones(2, 1, requires_grad=True)
    loss = cox_loss(risks, torch.tensor([[1.0, 0], [2, 0]]))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(risks.grad, torch.zeros(2, 1))


def test_it_is_the_likelihood_that_lifelines_maximises():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    table = pd.DataFrame({"x": x, "time": rng.exponential(np.exp(-x)), "event": rng.integers(0, 2, 60)})
    fitted = CoxPHFitter().fit(table, "time", "event")
    risks = torch.tensor(x * fitted.params_["x"])[:, None]
    outcomes = torch.tensor(table[["time", "event"]].to_numpy(float))
    assert -cox_loss(risks, outcomes).item() * table["event"].sum() == pytest.approx(fitted.log_likelihood_, rel=1e-6)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_ties_are_handled_as_statsmodels_does(ties):
    """At any slope, not only at the best."""
    rng = np.random.default_rng(1)
    x, time, event = rng.normal(size=40), rng.integers(1, 9, 40), rng.integers(0, 2, 40)
    model = PHReg(time.astype(float), x[:, None], status=event, ties=ties)
    outcomes = torch.tensor(np.stack([time, event], axis=1).astype(float))
    for slope in (-1.0, 0.0, 0.7):
        loss = cox_loss(torch.tensor(slope * x)[:, None], outcomes, ties=ties)
        assert -loss.item() * event.sum() == pytest.approx(model.loglike(np.array([slope])), rel=1e-9)


def test_efron_by_hand():
    """Two of three have their event at 1, all risks equal: (log 3 + log(3 - 1)) / 2."""
    outcomes = torch.tensor([[1.0, 1], [1, 1], [2, 0]])
    risks = torch.zeros(3, 1, requires_grad=True)
    loss = cox_loss(risks, outcomes, ties="efron")
    loss.backward()
    assert loss.item() == pytest.approx(np.log(6) / 2)
    assert risks.grad.isfinite().all()
    assert cox_loss(risks, torch.tensor([[1.0, 0], [2, 0], [3, 0]]), ties="efron").item() == 0
