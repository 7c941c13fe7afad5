"""Optimizer: how weights follow their slopes, and which of them are held near zero."""

import torch
from torch import nn

from hepatica.learn.plan import Plan


def optimizer(network: nn.Module, *, plan: Plan) -> torch.optim.Optimizer:
    """The plan's optimizer for the weights of a network that are to learn.

    `weight_decay` goes to kernels and matrices alone: biases and the scale and shift of a normalisation, which have
    one axis, are spared (He T, et al. Bag of tricks. CVPR 2019, section 3.1, arXiv 1812.01187).
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            groups.setdefault(plan.weight_decay if parameter.dim() > 1 else 0.0, []).append(parameter)
    weights = [{"params": parameters, "weight_decay": decay} for decay, parameters in groups.items()]
    if plan.optimizer == "sgd":
        return torch.optim.SGD(weights, lr=plan.rate, momentum=plan.momentum)
    return torch.optim.Adam(weights, lr=plan.rate, betas=plan.betas)
