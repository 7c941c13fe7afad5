"""Grad-CAM and HiResCAM: where in an image a network finds the evidence for its answer, by the slopes of one layer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from einops import einsum, reduce
from torch import Tensor, nn
from torch.nn.functional import interpolate

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


def grad_cam(
    network: nn.Module,
    images: Tensor,
    *,
    layer: nn.Module,
    target: int | Callable[[Any], Tensor],
    arrange: Callable[[Tensor], Tensor] | None = None,
) -> np.ndarray:
    """Map the evidence for one answer: images (b, c, h, w) to maps (b, h, w), solid ones (b, z, c, h, w) to maps
    (b, z, h, w), float32 in 0..1.

    A map is 1 where that image's evidence is strongest and 0 where there is none; how strong it is beside another
    image's, the map does not say. An image without any evidence for the answer gets a map of zeros.

    `layer` is the module of `network` whose output is weighed, usually the last feature map (b, k, y, x), or
    (b, k, z, y, x); `arrange` brings another output to that shape, such as the tokens (b, n, d) of a transformer.
    `target` is the column of the network's (b, answers) output, or a function from its output to one number an image.

    The network answers as in use (evaluation mode) and is left as it was: modes, gradients and hooks.
    Raises SettingsError when the layer takes no part in the answer or its output is no feature map.

    Equations 1 and 2 of Selvaraju RR, Cogswell M, Das A, et al. Int J Comput Vis 2020;128:336.
    doi 10.1007/s11263-019-01228-7
    """
    features, slope = map_slopes(network, images, layer=layer, target=target, arrange=arrange)
    weight = reduce(slope, "b k ... -> b k", "mean")
    return relative(einsum(weight, features, "b k, b k ... -> b ..."), size=_sides(images))


def map_slopes(
    network: nn.Module,
    images: Tensor,
    *,
    layer: nn.Module,
    target: int | Callable[[Any], Tensor],
    arrange: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """`slopes` of a layer whose output is a feature map, (b, k, y, x) or (b, k, z, y, x); SettingsError when it is
    none.
    """
    features, slope = slopes(network, images, layer=layer, target=target, arrange=arrange)
    if features.ndim != images.ndim:
        wanted = "(b, k, y, x)" if images.ndim == 4 else "(b, k, z, y, x)"
        raise SettingsError(f"got a layer with output {tuple(features.shape)}, wanted {wanted}; give `arrange`")
    return features, slope


def _sides(images: Tensor) -> tuple[int, ...]:
    return images.shape[-2:] if images.ndim == 4 else (images.shape[1], *images.shape[-2:])


def relative(evidence: Tensor, *, size: Sequence[int]) -> np.ndarray:
    """Evidence (b, y, x), or (b, z, y, x), as maps of that size: 1 where an image has the most of it, 0 where there is
    none.
    """
    mode = "bilinear" if evidence.ndim == 3 else "trilinear"
    maps = interpolate(evidence.relu()[:, None].float(), list(size), mode=mode, align_corners=False)[:, 0]
    strongest = maps.flatten(1).amax(dim=1).reshape(-1, *[1] * (maps.ndim - 1))
    return np.asarray(torch.where(strongest > 0, maps / strongest, 0).clamp(0, 1).cpu().numpy())


def hires_cam(network: nn.Module, images: Tensor, **how: Any) -> np.ndarray:
    """Map the evidence for one answer as `grad_cam` does, whose arguments, values and errors these are.

    Grad-CAM averages a channel's slopes over all positions. Where a softmax over positions follows, they cancel: what
    one position gains the others lose. Here the product of feature and slope is taken position by position.

    Draelos RL, Carin L. Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks.
    arXiv 2011.08891, equation 2.
    """
    features, slope = map_slopes(network, images, **how)
    return relative(reduce(features * slope, "b k ... -> b ...", "sum"), size=_sides(images))
