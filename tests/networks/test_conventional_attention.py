"""Conventional attention: one weight in 0..1 for each channel, or for each position."""

import pytest
import torch
from torch import Tensor, nn

from hepatica.networks.cnn_sasm import ChannelAttention, SpatialAttention


def count(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def test_parameters_are_what_the_published_size_leaves_over() -> None:
    """12,336,846 of CNN-SelfAttn-Attn less 12,303,980 of CNN-SASM."""
    assert count(ChannelAttention(512)) == 2 * 512 * 32 == 32_768
    assert count(SpatialAttention(7)) == 2 * 7 * 7 == 98
    assert 12_336_846 - 12_303_980 == 32_768 + 98


@pytest.mark.parametrize(
    ("attention", "tokens"), [(ChannelAttention(32), torch.rand(2, 32, 9)), (SpatialAttention(3), torch.rand(2, 9, 32))]
)
def test_a_token_is_scaled_as_a_whole(attention: nn.Module, tokens: Tensor) -> None:
    ratio = attention(tokens) / tokens
    torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio))
    assert ((ratio > 0) & (ratio < 1)).all()


def test_channel_weights_by_hand() -> None:
    """Token (1, 3): mean 2, max 3; with weights 1 the sum is 5."""
    attention = ChannelAttention(1)
    for weight in attention.parameters():
        nn.init.ones_(weight)
    tokens = torch.tensor([[[1.0, 3.0]]])
    torch.testing.assert_close(attention(tokens), tokens * torch.tensor(5.0).sigmoid())


def test_spatial_weights_follow_the_positions() -> None:
    """A kernel that is 1 at its centre for the mean alone gives each position the sigmoid of its own mean."""
    attention = SpatialAttention(3)
    nn.init.zeros_(attention.weigh.weight)
    attention.weigh.weight.data[0, 0, 3, 3] = 1
    tokens = torch.rand(2, 9, 4)
    torch.testing.assert_close(attention(tokens), tokens * tokens.mean(dim=2, keepdim=True).sigmoid())
