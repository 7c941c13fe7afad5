"""FastCAM: where an image excites a network (SMOE), as far as it speaks for one answer (Grad-CAM)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from hepatica.saliency.grad_cam import grad_cam
from hepatica.saliency.map_norms import Norm
from hepatica.saliency.smoe import RESNET_LAYERS, combined, normalised, smoe_watch


def fast_cam(
    network: nn.Module,
    images: Tensor,
    *,
    layer: nn.Module,
    target: int | Callable[[Any], Tensor],
    layers: Sequence[str] = RESNET_LAYERS,
    weights: Sequence[float] | None = None,
    norm: Norm = "gauss",
) -> np.ndarray:
    """The product of `smoe` over `layers` and `grad_cam` at `layer`, (b, h, w), float32 in 0..1, from one pass.

    SMOE gives the detail, Grad-CAM the answer's side: zeros where there is no evidence for it. The other arguments and
    the errors are those of the two. Source: Mundhenk et al., arXiv 1911.11293, "FastCAM".
    """
    with smoe_watch(network, layers=layers) as maps:
        evidence = grad_cam(network, images, layer=layer, target=target)
    excited = combined(normalised(maps, size=images.shape[-2:], norm=norm), weights=weights)
    return np.asarray(excited.cpu().numpy() * evidence)
