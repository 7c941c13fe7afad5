"""Images: from the bytes of a picture to the numbers a network reads."""

import torch
from einops import rearrange
from torch import Tensor


def as_images(pixels: Tensor) -> Tensor:
    """Turn bytes (b, h, w, c) on [0, 255] into images (b, c, h, w) on [0, 1], on the device where they are."""
    # The rearranged view is already in channels-last memory order, and the division keeps that order.
    return rearrange(pixels, "b h w c -> b c h w").float() / 255


def as_network_input(batch: Tensor) -> Tensor:
    """Turn bytes (b, h, w, c) into images; vectors (b, d) stay what they are, in single precision."""
    return as_images(batch) if batch.dtype == torch.uint8 else batch.float()
