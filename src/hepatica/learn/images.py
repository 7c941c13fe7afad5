"""Images: from the bytes of a picture, or measured values, to the numbers a network reads, and their memory order."""

from typing import Any

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor, nn

from hepatica.learn.samples import each


def as_images(pixels: Tensor) -> Tensor:
    """Turn bytes (…, h, w, c) on [0, 255] into images (…, c, h, w) on [0, 1], on the device where they are."""
    # The rearranged view is already in channels-last memory order, and the division keeps that order.
    return rearrange(pixels, "... h w c -> ... c h w").float() / 255


def pixels_to_images(pixels: NDArray[np.uint8]) -> Tensor:
    """The same from an array."""
    return as_images(torch.from_numpy(pixels))


def as_network_input(batch: Any) -> Any:
    """Turn bytes (b, h, w, c) into images; measured values (b, h, w, c), such as spectra (b, 1, w, 2), into
    (b, c, h, w) of the same numbers; the same of bags (b, n, h, w, c) of them; vectors (b, d) and (b, n, d) stay what
    they are. In single precision. Of a mapping, each.
    """
    return each(_as_network_input, batch)


def _as_network_input(batch: Tensor) -> Tensor:
    if batch.dtype == torch.uint8:
        return as_images(batch)
    return rearrange(batch.float(), "... h w c -> ... c h w") if batch.dim() >= 4 else batch.float()


def channels_last(network: nn.Module) -> nn.Module:
    """Reorder the 2-D kernels of a network in place; its numbers stay the same.

    ResNet-18 at 224 pixels trains 1.2 and infers 1.4 times as fast on a CPU (measured on 2 cores).
    Only four-axis weights: torch refuses the order for the five axes of a 3-D network.
    """
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network
