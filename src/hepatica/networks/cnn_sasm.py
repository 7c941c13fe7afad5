"""CNN-SASM: a convolutional network whose feature map attends to itself, first over channels, then over positions.

Source: Li et al., BMC Med 2025;23:162, doi 10.1186/s12916-025-03977-4, "Construction of CNN-SASM"; other sizes are the
released code's. With a ResNet18 body it has 12,303,980 parameters, the 46.94 MiB of the paper's Table 2 ("M" there is
MiB). `gate` and `modules` give the ablations of that table.

Unclear:
1. The "conventional attention layer" of CNN-SelfAttn-Attn is not described. Channel attention after the first block and
   spatial attention after the second, as in CBAM (Woo et al., ECCV 2018, doi 10.1007/978-3-030-01234-2_1), add 32,866
   parameters and so give the table's 47.06 MiB. That match is our only evidence for this form.
2. The footnote calls both CNN-CSA and CNN-SSA "without the CSA module". By their size, 42.92 and 46.90 MiB, each is
   named after the module that it keeps.

Conventional attention: weigh channels, or positions, by what their mean and their maximum say of them.

Source: Woo S, Park J, Lee JY, Kweon IS, ECCV 2018, "CBAM", doi 10.1007/978-3-030-01234-2_1; reduction by 16 and kernels
of 7 x 7 are theirs. Both read tokens, as self-attention leaves them.
"""

from typing import Literal

import torch
from einops import rearrange, reduce
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError
from hepatica.networks.heads import Normalise, Reading

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


Mix = Literal["transpose", "reshape"]
"""How channels become positions: by transposition, or by the reshape of the released code, which scrambles them."""

Gate = Literal["softmax", "none", "attention"]
"""What follows each layer norm: a softmax over the tokens; nothing (CNN-SelfAttn of the paper's Table 2); or channel
and spatial attention of the conventional kind (CNN-SelfAttn-Attn)."""

Modules = Literal["both", "channel", "spatial"]
"""Which self-attention is there: both, channel alone (CNN-CSA) or spatial alone (CNN-SSA)."""

SPATIAL_HEADS = 8


class TokenAttention(nn.Module):
    """Self-attention over tokens with dropout, residual, layer norm and a gate that weighs the tokens."""

    def __init__(self, size: int, *, heads: int, dropout: float, gate: nn.Module) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(size, heads, dropout=dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(size, eps=1e-12)
        self.gate = gate

    def forward(self, tokens: Tensor) -> Tensor:
        """(b, tokens, size) to the same; after a softmax each feature sums to 1 over the tokens."""
        attended = self.attend(tokens, tokens, tokens, need_weights=False)[0]
        gated: Tensor = self.gate(self.norm(tokens + self.dropout(attended)))
        return gated


class CnnSasm(nn.Module):
    """A convolutional body, channel self-attention, spatial self-attention, max over positions, two layers.

    `body` ends in `channels` maps of `width` x `width` positions: 512 of 7 x 7 for ResNet18 at 224 pixels. Channel
    attention has `width` heads (7 in the released code), spatial attention 8. `mix="reshape"` scrambles the positions
    as the released code does; see the Departures of `hepatica.systems.li_2025_cnn_sasm`. A module left out by `modules`
    passes its tokens on.

    Raises SettingsError when the heads cannot share the channels evenly.
    """

    def __init__(
        self,
        body: nn.Module,
        *,
        channels: int,
        width: int,
        signature: int = 128,
        dropout: float = 0.3,
        mix: Mix = "transpose",
        gate: Gate = "softmax",
        modules: Modules = "both",
    ) -> None:
        super().__init__()
        if channels % SPATIAL_HEADS:
            raise SettingsError(
                f"got a body of {channels} channels, wanted a multiple of {SPATIAL_HEADS}, one share a head"
            )
        self.mix = mix
        self.width = width
        self.normalise = Normalise()
        self.body = body
        self.channel: nn.Module = nn.Identity()
        self.spatial: nn.Module = nn.Identity()
        if modules != "spatial":
            weigh = ChannelAttention(channels) if gate == "attention" else _simple(gate)
            self.channel = TokenAttention(width**2, heads=width, dropout=dropout, gate=weigh)
        if modules != "channel":
            weigh = SpatialAttention(width) if gate == "attention" else _simple(gate)
            self.spatial = TokenAttention(channels, heads=SPATIAL_HEADS, dropout=dropout, gate=weigh)
        self.sign = nn.Sequential(nn.Linear(channels, signature), nn.ReLU(), nn.Dropout(dropout))
        self.classify = nn.Linear(signature, 2)

    def forward(self, images: Tensor) -> Reading:
        """Read (b, 3, h, w) images in 0..1."""
        maps = self.body(self.normalise(images))
        channels = self.channel(rearrange(maps, "b c h w -> b c (h w)"))
        if self.mix == "transpose":
            positions = rearrange(channels, "b c n -> b n c")
        else:
            positions = channels.reshape(len(channels), -1, channels.shape[1])  # the released code's scrambling
        positions = self.spatial(positions)
        signature = self.sign(reduce(positions, "b n c -> b c", "max"))
        return Reading(self.classify(signature), signature)


def _simple(gate: Gate) -> nn.Module:
    return nn.Softmax(dim=1) if gate == "softmax" else nn.Identity()
