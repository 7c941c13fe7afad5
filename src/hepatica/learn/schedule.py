"""Schedule: how fast a network learns in each epoch, as a share of its full learning rate."""

import math

from hepatica.learn.plan import Plan


def share_of_rate(plan: Plan, *, epoch: int) -> float:
    """The factor on `plan.rate` in an epoch, counted from 0; in 0..1.

    For W `warmup_epochs`, epoch e below W has the share (e + 1) / (W + 1). After these,
    "steps": lr_step_factor ** ((e - W) // lr_step_epochs);
    "cosine": (1 + cos(π (e - W) / (E - W))) / 2 of all E epochs, with the full rate in epoch W.

    Warm-up: Goyal et al., arXiv 1706.02677, section 2.2, in equal steps an epoch (ours). Cosine: Loshchilov and
    Hutter, arXiv 1608.03983, equation 5, without restarts.
    """
    warm = plan.warmup_epochs
    if epoch < warm:
        return (epoch + 1) / (warm + 1)
    if plan.schedule == "cosine":
        return (1 + math.cos(math.pi * (epoch - warm) / max(plan.epochs - warm, 1))) / 2
    return plan.lr_step_factor ** ((epoch - warm) // (plan.lr_step_epochs or plan.epochs))
