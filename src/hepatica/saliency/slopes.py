"""Slopes: what one layer of a network says of an image, and how the answer would change with it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError


def slopes(
    network: nn.Module,
    images: Tensor,
    *,
    layer: nn.Module,
    target: int | Callable[[Any], Tensor],
    arrange: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """The layer's output for images (b, c, h, w), and the slope of each image's answer along it, of the same shape.

    `target` is the column of the network's (b, answers) output, or a function from its output to one number an image;
    `arrange` brings both to another shape. Their product says, to first order, how much of the answer would go with
    each number of the output were it 0.

    The network answers as in use (evaluation mode) and is left as it was: modes, gradients and hooks.
    Raises SettingsError when the layer takes no part in the answer.
    """
    with torch.inference_mode(False), torch.enable_grad(), evaluating(network), _recording(layer) as outputs:
        answer = network(images.detach().clone().requires_grad_())
        score = answer[:, target] if isinstance(target, int) else target(answer)
        if not outputs:
            raise SettingsError("got a layer that the network does not use; name one of its own modules")
        slope = torch.autograd.grad(score.sum(), outputs[-1], allow_unused=True)[0]
    if slope is None:
        raise SettingsError("got a layer that the answer does not depend on; name one on the way to it")
    features = outputs[-1].detach()
    return (arrange(features), arrange(slope)) if arrange else (features, slope)


@contextmanager
def _recording(layer: nn.Module) -> Iterator[list[Tensor]]:
    outputs: list[Tensor] = []

    def record(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        outputs.append(output)
        return output.clone()  # a later layer that works in place must not change what was recorded

    with layer.register_forward_hook(record):
        yield outputs


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Let a network answer as in use within the block; each of its modules is then as it was."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
