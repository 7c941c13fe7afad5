"""Mixup: teach a network on blends of two samples, each with both labels in the same shares.

Zhang H, Cisse M, Dauphin YN, Lopez-Paz D. ICLR 2018, arXiv 1710.09412, equation 1. As in the authors' code, a batch is
blended with itself in another order, and all of its samples in one ratio.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from hepatica.learn.losses import Loss


def mixup(inputs: Tensor, *, alpha: float) -> tuple[Tensor, Callable[[Loss, Tensor, Tensor], Tensor]]:
    """Blend inputs (b, ...) in a ratio drawn from Beta(alpha, alpha), and say how to score logits on the blends.

    The second value takes a loss, the logits (b, classes) and the labels (b,) of the unblended inputs. Draws come from
    torch's own generator of the inputs' device, which `fit` sets at the start of every epoch.
    """
    shape = torch.tensor(alpha, device=inputs.device)
    share = torch.distributions.Beta(shape, shape, validate_args=False).sample()
    order = torch.randperm(len(inputs), device=inputs.device)

    def blended(loss: Loss, logits: Tensor, labels: Tensor) -> Tensor:
        return share * loss(logits, labels) + (1 - share) * loss(logits, labels[order])

    return share * inputs + (1 - share) * inputs[order], blended
