"""CNN-SASM: the architecture of paper 001, to the parameter."""

import pytest
import torch
from einops import rearrange, reduce

from hepatica.cohort.errors import SettingsError
from hepatica.networks import CnnSasm, backbone
from hepatica.networks.cnn_sasm import TokenAttention


def build(width: int = 2, **changes) -> CnnSasm:
    torch.manual_seed(0)
    return CnnSasm(backbone("resnet18.tv_in1k"), channels=512, width=width, **changes).eval()


def count(module: torch.nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


@pytest.mark.parametrize("mix", ["transpose", "reshape"])
def test_parameters_are_those_of_table_2(mix: str) -> None:
    """12,303,980 in fp32 are the 46.94 MiB of Table 2; CSA 9,898 and SSA 1,051,648 with their layer norms."""
    network = build(width=7, mix=mix)
    assert count(network) == 12_303_980
    assert round(count(network) * 4 / 2**20, 2) == 46.94
    assert count(network.channel) == 9_898
    assert count(network.spatial) == 1_051_648


@pytest.mark.parametrize(
    ("changes", "parameters", "mib"),
    [
        ({}, 12_303_980, 46.94),
        ({"gate": "none"}, 12_303_980, 46.94),
        ({"gate": "attention"}, 12_336_846, 47.06),
        ({"modules": "channel"}, 11_252_332, 42.92),
        ({"modules": "spatial"}, 12_294_082, 46.90),
    ],
)
def test_ablations_have_the_sizes_of_table_2(changes: dict, parameters: int, mib: float) -> None:
    """CNN-SASM, -SelfAttn, -SelfAttn-Attn, CNN-CSA and CNN-SSA; the table's M is MiB of fp32."""
    with torch.device("meta"):
        network = build(width=7, **changes)
    assert count(network) == parameters
    assert round(count(network) * 4 / 2**20, 2) == mib


@pytest.mark.parametrize(
    "changes", [{"gate": "none"}, {"gate": "attention"}, {"modules": "channel"}, {"modules": "spatial"}]
)
@pytest.mark.parametrize("mix", ["transpose", "reshape"])
def test_every_part_of_an_ablation_learns(changes: dict, mix: str) -> None:
    network = build(mix=mix, **changes).train()
    network(torch.rand(2, 3, 64, 64)).logits[:, 1].sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_a_module_left_out_passes_its_tokens_on() -> None:
    """Without channel attention the spatial block sees the body's own features, position by position."""
    network, images = build(modules="spatial"), torch.rand(2, 3, 64, 64)
    maps = network.body(network.normalise(images))
    positions = network.spatial(rearrange(maps, "b c h w -> b (h w) c"))
    wanted = network.sign(reduce(positions, "b n c -> b c", "max"))
    torch.testing.assert_close(network(images).signature, wanted)


def test_a_body_whose_channels_the_heads_cannot_share_is_refused() -> None:
    with pytest.raises(SettingsError, match="12 channels, wanted a multiple of 8"):
        CnnSasm(torch.nn.Identity(), channels=12, width=2)


def test_sizes_of_logits_and_signature() -> None:
    reading = build(width=7)(torch.rand(2, 3, 224, 224))
    assert reading.logits.shape == (2, 2)
    assert reading.signature.shape == (2, 128)
    assert reading.signature.min() >= 0


def test_batch_is_the_loop_over_its_images() -> None:
    network, images = build(), torch.rand(3, 3, 64, 64)
    together = network(images).logits
    alone = torch.cat([network(images[n : n + 1]).logits for n in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_gate_shares_out_each_feature_over_the_tokens() -> None:
    attention = TokenAttention(4, heads=2, dropout=0.3, gate=torch.nn.Softmax(dim=1)).eval()
    out = attention(torch.rand(2, 512, 4))
    torch.testing.assert_close(reduce(out, "b n c -> b c", "sum"), torch.ones(2, 4))


def test_attention_treats_tokens_alike() -> None:
    attention = TokenAttention(4, heads=2, dropout=0.3, gate=torch.nn.Softmax(dim=1)).eval()
    tokens, order = torch.rand(1, 10, 4), torch.randperm(10)
    torch.testing.assert_close(attention(tokens)[:, order], attention(tokens[:, order]), atol=1e-6, rtol=1e-5)


def test_reshape_scrambles_what_transposition_keeps() -> None:
    """A reshape of (512, 49) to (49, 512) leaves 0.008 % of the numbers where a transposition puts them."""
    channels = torch.arange(512 * 49).reshape(1, 512, 49)
    transposed = rearrange(channels, "b c n -> b n c")
    same = (transposed == channels.reshape(1, 49, 512)).float().mean().item()
    assert same == pytest.approx(2 / (512 * 49))
    images = torch.rand(1, 3, 64, 64)
    assert not torch.allclose(build(mix="transpose")(images).logits, build(mix="reshape")(images).logits)
