"""Grad-CAM: where in an image a network finds the evidence for its answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from einops import einsum, reduce
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hepatica.cohort.errors import SettingsError


def grad_cam(
    network: nn.Module,
    images: Tensor,
    *,
    layer: nn.Module,
    target: int | Callable[[Any], Tensor],
    arrange: Callable[[Tensor], Tensor] | None = None,
) -> np.ndarray:
    """Map the evidence for one answer: images (b, c, h, w) to maps (b, h, w), float32 in 0..1.

    A map is 1 where that image's evidence is strongest and 0 where there is none; how strong it is beside another
    image's, the map does not say. An image without any evidence for the answer gets a map of zeros.

    `layer` is the module of `network` whose output is weighed, usually the last feature map (b, k, y, x); `arrange`
    brings another output to that shape, such as the tokens (b, n, d) of a transformer. `target` is the column of the
    network's (b, answers) output, or a function from its output to one number an image.

    The network answers as in use (evaluation mode) and is left as it was: modes, gradients and hooks.
    Raises SettingsError when the layer takes no part in the answer or its output is no feature map.

    Equations 1 and 2 of Selvaraju RR, Cogswell M, Das A, et al. Int J Comput Vis 2020;128:336.
    doi 10.1007/s11263-019-01228-7
    """
    with torch.inference_mode(False), torch.enable_grad(), _evaluating(network), _recording(layer) as outputs:
        answer = network(images.detach().clone().requires_grad_())
        score = answer[:, target] if isinstance(target, int) else target(answer)
        features, slopes = _features_and_slopes(score, outputs, arrange)
    weight = reduce(slopes, "b k y x -> b k", "mean")
    evidence = einsum(weight, features, "b k, b k y x -> b y x").relu()
    maps = interpolate(evidence[:, None].float(), images.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    strongest = reduce(maps, "b h w -> b 1 1", "max")
    return np.asarray(torch.where(strongest > 0, maps / strongest, 0).clamp(0, 1).cpu().numpy())


def _features_and_slopes(
    score: Tensor, outputs: list[Tensor], arrange: Callable[[Tensor], Tensor] | None
) -> tuple[Tensor, Tensor]:
    """The layer's output and the slope of each image's score along it."""
    if not outputs:
        raise SettingsError("got a layer that the network does not use; name one of its own modules")
    slopes = torch.autograd.grad(score.sum(), outputs[-1], allow_unused=True)[0]
    if slopes is None:
        raise SettingsError("got a layer that the answer does not depend on; name one on the way to it")
    features, slopes = (arrange(each) if arrange else each for each in (outputs[-1].detach(), slopes))
    if features.ndim != 4:
        raise SettingsError(f"got a layer with output {tuple(features.shape)}, wanted (b, k, y, x); give `arrange`")
    return features, slopes


@contextmanager
def _recording(layer: nn.Module) -> Iterator[list[Tensor]]:
    outputs: list[Tensor] = []

    def record(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        outputs.append(output)
        return output.clone()  # a later layer that works in place must not change what was recorded

    with layer.register_forward_hook(record):
        yield outputs


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
