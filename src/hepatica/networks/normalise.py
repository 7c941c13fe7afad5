"""Normalise: shift and scale the colours as the pretrained weights expect them."""

import torch
from einops import rearrange
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green and blue over ImageNet, on [0, 1] (torchvision's reference training, timm's IMAGENET_DEFAULT)."""

IMAGENET_SD = (0.229, 0.224, 0.225)
"""Standard deviation of red, green and blue over ImageNet, on [0, 1]; same source."""


class Normalise(nn.Module):
    """(x - mean) / sd for each channel: (b c h w) on [0, 1] -> (b c h w); the first layer of a network, no parameters.

    Inside the network, so that training, inference and explanation cannot disagree on it.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, mean: tuple[float, ...] = IMAGENET_MEAN, sd: tuple[float, ...] = IMAGENET_SD) -> None:
        super().__init__()
        self.register_buffer("mean", rearrange(torch.tensor(mean), "c -> c 1 1"), persistent=False)
        self.register_buffer("sd", rearrange(torch.tensor(sd), "c -> c 1 1"), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise a batch."""
        return (images - self.mean) / self.sd
