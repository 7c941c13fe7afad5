import numpy as np
import torch

from hepatica.learn import cox_loss
from hepatica.learn.cox_lasso import cox_lasso, heaviest


def test_the_lasso_meets_the_conditions_of_its_minimum() -> None:
    """A slope is the penalty against the sign of a coefficient, no steeper where it is 0; none is left at the top."""
    rng = np.random.default_rng(3)
    values = torch.from_numpy(rng.standard_normal((60, 6)))
    time = torch.from_numpy(rng.exponential(np.exp(-values[:, 0].numpy())).round(1) + 0.1)
    outcome = torch.stack([time, torch.from_numpy((rng.random(60) < 0.7).astype(float))], dim=1)
    most = heaviest(values, outcome)
    assert not cox_lasso(values, outcome, penalty=most * 1.0001).any()
    weight = cox_lasso(values, outcome, penalty=most / 4).requires_grad_(True)
    cox_loss(values @ weight[:, None], outcome, ties="efron").backward()
    left = weight.detach() != 0
    assert left[0]
    assert 0 < left.sum() < 6
    np.testing.assert_allclose(weight.grad[left], -most / 4 * weight.detach()[left].sign(), rtol=1e-4)
    assert (weight.grad[~left].abs() <= most / 4 * 1.0001).all()
