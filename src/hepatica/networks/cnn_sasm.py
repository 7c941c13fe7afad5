"""CNN-SASM: a convolutional network whose feature map attends to itself, first over channels, then over positions.

Source: Li et al., BMC Med 2025;23:162, doi 10.1186/s12916-025-03977-4, "Construction of CNN-SASM"; other sizes are the
released code's. With a ResNet18 body it has 12,303,980 parameters, the 46.94 MiB of the paper's Table 2.
"""

from typing import Literal, NamedTuple

from einops import rearrange, reduce
from torch import Tensor, nn

from hepatica.networks.normalise import Normalise

Mix = Literal["transpose", "reshape"]
"""How channels become positions: by transposition, or by the reshape of the released code, which scrambles them."""

Gate = Literal["softmax", "none"]
"""What follows each layer norm: a softmax over the tokens, or nothing (CNN-SelfAttn of the paper's Table 2)."""


class TokenAttention(nn.Module):
    """Self-attention over tokens with dropout, residual, layer norm and a gate that weighs the tokens."""

    def __init__(self, size: int, *, heads: int, dropout: float, gate: Gate) -> None:
        super().__init__()
        self.gate = gate
        self.attend = nn.MultiheadAttention(size, heads, dropout=dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(size, eps=1e-12)

    def forward(self, tokens: Tensor) -> Tensor:
        """(b, tokens, size) to the same; after a softmax each feature sums to 1 over the tokens."""
        attended = self.attend(tokens, tokens, tokens, need_weights=False)[0]
        normed: Tensor = self.norm(tokens + self.dropout(attended))
        return normed.softmax(dim=1) if self.gate == "softmax" else normed


class Reading(NamedTuple):
    """What the extractor says of each tile: (b, 2) logits and the (b, 128) signature."""

    logits: Tensor
    signature: Tensor


class CnnSasm(nn.Module):
    """A convolutional body, channel self-attention, spatial self-attention, max over positions, two layers.

    `body` ends in `channels` maps of `width` x `width` positions: 512 of 7 x 7 for ResNet18 at 224 pixels. Channel
    attention has `width` heads (7 in the released code), spatial attention 8. `mix="reshape"` scrambles the positions
    as the released code does; see the Departures of `hepatica.systems.li_2025_cnn_sasm`.
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
    ) -> None:
        super().__init__()
        self.mix = mix
        self.normalise = Normalise()
        self.body = body
        self.channel = TokenAttention(width**2, heads=width, dropout=dropout, gate=gate)
        self.spatial = TokenAttention(channels, heads=8, dropout=dropout, gate=gate)
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
