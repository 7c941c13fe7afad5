"""Cox lasso: a Cox model of many features, most of which it leaves out."""

import torch
from torch import Tensor

from hepatica.learn.losses import cox_loss


def cox_lasso(values: Tensor, outcome: Tensor, *, penalty: float, start: Tensor | None = None) -> Tensor:
    """Coefficients (d,) of a Cox model of values (n, d), Efron's ties, that minimise the mean loss of an event and
    `penalty` times the sum of their sizes; `outcome` (n, 2) are time and event.

    By proximal gradients with momentum (Beck and Teboulle 2009, doi 10.1137/080716542), steps halved until they serve.
    """
    values, outcome = values.double(), outcome.double()
    weight = torch.zeros(values.shape[1], dtype=torch.float64) if start is None else start.double()
    ahead, momentum, step = weight, 1.0, 1.0
    for _ in range(500):
        ahead = ahead.detach().requires_grad_(True)
        loss = cox_loss(values @ ahead[:, None], outcome, ties="efron")
        (slope,) = torch.autograd.grad(loss, ahead)
        while True:
            to = ahead.detach() - step * slope
            new = to.sign() * (to.abs() - step * penalty).clamp(min=0)
            moved = new - ahead.detach()
            bound = loss.detach() + slope @ moved + moved @ moved / (2 * step)
            if cox_loss(values @ new[:, None], outcome, ties="efron") <= bound + 1e-12 or step < 1e-9:
                break
            step /= 2
        faster = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (momentum - 1) / faster * (new - weight)
        done, weight, momentum = float((new - weight).abs().max()) < 1e-8, new, faster
        if done:
            break
    return weight


def heaviest(values: Tensor, outcome: Tensor) -> float:
    """The least penalty that leaves no feature: the steepest slope of the loss where all coefficients are 0."""
    weight = torch.zeros(values.shape[1], 1, dtype=torch.float64, requires_grad=True)
    cox_loss(values.double() @ weight, outcome.double(), ties="efron").backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    return float(weight.grad.abs().max())
