"""Attribution: how much of a score comes from each measured value of a patient (integrated gradients)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hepatica.saliency.slopes import evaluating

STEPS = 64
"""Of the path from the baseline to the patient."""


def integrated_gradients(
    network: nn.Module,
    values: np.ndarray,
    *,
    baseline: np.ndarray,
    target: Callable[[Any], Tensor],
    steps: int = STEPS,
) -> np.ndarray:
    """What each value (n, …) adds to the outputs of patients, from that of one at the `baseline` (…) on: (n, …).

    `target` makes one number a patient, such as the log-odds, of what the network returns. The sum over a patient's
    values is target(values) - target(baseline), but for the coarseness of the path. A value that is missing (NaN) is
    missing all along the path and adds nothing. Sundararajan, Taly and Yan 2017, arXiv 1703.01365, midpoint rule.
    """
    end = torch.from_numpy(np.asarray(values, np.float32))
    begin = torch.where(end.isnan(), end, torch.from_numpy(np.asarray(baseline, np.float32)).expand_as(end))
    total = torch.zeros_like(end)
    with torch.inference_mode(False), torch.enable_grad(), evaluating(network):
        for step in range(steps):
            point = (begin + (step + 0.5) / steps * (end - begin)).requires_grad_()
            total += torch.autograd.grad(target(network(point)).sum(), point)[0]
    return (total / steps * (end - begin)).nan_to_num(0.0).detach().numpy()
