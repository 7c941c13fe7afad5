"""Conventional attention: weigh channels, or positions, by what their mean and their maximum say of them.

Source: Woo S, Park J, Lee JY, Kweon IS, ECCV 2018, "CBAM", doi 10.1007/978-3-030-01234-2_1; reduction by 16 and kernels
of 7 x 7 are theirs. Both read tokens, as self-attention leaves them.
"""

import torch
from einops import rearrange, reduce
from torch import Tensor, nn

REDUCTION = 16
"""How many times narrower the hidden layer of channel attention is."""


class ChannelAttention(nn.Module):
    """Scale each channel token by one number in 0..1: (b, channels, n) to the same. No biases."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // REDUCTION, 1)
        self.weigh = nn.Sequential(
            nn.Linear(channels, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, channels, bias=False)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Weigh a batch."""
        mean, strongest = (reduce(tokens, "b c n -> b c", by) for by in ("mean", "max"))
        weight: Tensor = (self.weigh(mean) + self.weigh(strongest)).sigmoid()
        return tokens * rearrange(weight, "b c -> b c 1")


class SpatialAttention(nn.Module):
    """Scale each position token by one number in 0..1: (b, width x width, features) to the same. No bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.weigh = nn.Conv2d(2, 1, kernel_size=7, padding=3, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Weigh a batch."""
        pooled = torch.stack([reduce(tokens, "b n c -> b n", by) for by in ("mean", "max")], dim=1)
        weight: Tensor = self.weigh(rearrange(pooled, "b k (h w) -> b k h w", h=self.width)).sigmoid()
        return tokens * rearrange(weight, "b 1 h w -> b (h w) 1")
