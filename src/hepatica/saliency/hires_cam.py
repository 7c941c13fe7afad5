"""HiResCAM: Grad-CAM in which each position keeps its own slope, for networks that weigh position against position."""

from collections.abc import Callable
from typing import Any

import numpy as np
from einops import reduce
from torch import Tensor, nn

from hepatica.saliency.grad_cam import map_slopes, relative


def hires_cam(
    network: nn.Module,
    images: Tensor,
    *,
    layer: nn.Module,
    target: int | Callable[[Any], Tensor],
    arrange: Callable[[Tensor], Tensor] | None = None,
) -> np.ndarray:
    """Map the evidence for one answer as `grad_cam` does, whose arguments, values and errors these are.

    Grad-CAM averages a channel's slopes over all positions. Where a softmax over positions follows, they cancel: what
    one position gains the others lose. Here the product of feature and slope is taken position by position.

    Draelos RL, Carin L. Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks.
    arXiv 2011.08891, equation 2.
    """
    features, slope = map_slopes(network, images, layer=layer, target=target, arrange=arrange)
    return relative(reduce(features * slope, "b k y x -> b y x", "sum"), size=images.shape[-2:])
