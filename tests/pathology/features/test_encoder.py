"""Encoder: each listed network has the size and width its hub states, and reads tiles as it was taught."""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import nn

from hepatica.cohort.errors import SettingsError, UnavailableError
from hepatica.networks import IMAGENET_MEAN, IMAGENET_SD
from hepatica.pathology.features.encoder import Card, Encoder, build_encoder, card_of, cards, encoder_digest

HERE = [name for name, card in cards().items() if card.here]


def vit(width: int, depth: int, hidden: int, *, patch: int, tokens: int, gated=False, scale=True, extra=0) -> int:
    """Parameters of a ViT: patches, class token and `extra` more, positions, blocks, last norm."""
    feed = (width * hidden + hidden) + ((hidden // 2 if gated else hidden) * width + width)
    attention = 3 * (width * width + width) + (width * width + width)
    block = attention + feed + 4 * width + 2 * width * scale
    return (3 * patch**2 * width + width) + (1 + extra) * width + tokens * width + depth * block + 2 * width


SIZES = {
    "resnet50": 25_557_032 - (2048 * 1000 + 1000),
    "resnet50_clam": 8_543_296,  # less the last stage, 14,964,736
    "uni": vit(1024, 24, 4096, patch=16, tokens=197),
    "digepath": vit(1024, 24, 4096, patch=16, tokens=197),
    "gpfm": vit(1024, 24, 4096, patch=14, tokens=257),
    "uni2_h": vit(1536, 24, 8192, patch=14, tokens=256, gated=True, extra=8),
    "virchow": vit(1280, 32, 6832, patch=14, tokens=257, gated=True),
    "virchow2": vit(1280, 32, 6832, patch=14, tokens=261, gated=True, extra=4),
    "h_optimus_0": vit(1536, 40, 8192, patch=14, tokens=256, gated=True, extra=4),
    "h_optimus_1": vit(1536, 40, 8192, patch=14, tokens=256, gated=True, extra=4),
    "h0_mini": vit(768, 12, 4096, patch=14, tokens=256, gated=True, extra=4),
    "prov_gigapath": vit(1536, 40, 8192, patch=16, tokens=197, gated=True),
    "kaiko_vits16": vit(384, 12, 1536, patch=16, tokens=197, scale=False),
    "kaiko_vits8": vit(384, 12, 1536, patch=8, tokens=785, scale=False),
    "kaiko_vitb16": vit(768, 12, 3072, patch=16, tokens=197, scale=False),
    "kaiko_vitb8": vit(768, 12, 3072, patch=8, tokens=785, scale=False),
    "kaiko_vitl14": vit(1024, 24, 4096, patch=14, tokens=1369, extra=4),
    "lunit_vits8": vit(384, 12, 1536, patch=8, tokens=785, scale=False),
}


def test_every_network_here_has_its_size_below() -> None:
    assert len(cards()) >= 15
    assert SIZES.keys() == set(HERE)


@cache
def on_meta(name: str) -> Encoder:
    """The network, built once for all cards of its architecture."""
    card = cards()[name]
    first = next(each for each in HERE if (cards()[each].timm, cards()[each].args) == (card.timm, card.args))
    if first != name and (cards()[first].without, cards()[first].readout) == (card.without, card.readout):
        return on_meta(first)
    with torch.device("meta"):
        return build_encoder(name, weights="random")


@pytest.mark.parametrize("name", HERE)
def test_size_and_width(name: str) -> None:
    card, network = cards()[name], on_meta(name)
    found = network(torch.zeros(2, 3, card.side, card.side, device="meta"))
    assert sum(each.numel() for each in network.parameters()) == SIZES[name]
    assert found.shape == (2, card.width)
    assert not any(each.requires_grad for each in network.parameters())


@pytest.mark.parametrize("name", cards())
def test_every_card_states_its_terms(name: str) -> None:
    card = cards()[name]
    assert card.licence
    assert card.source
    assert card.checked
    assert 0.4 < card.side_mpp < 1.2
    assert all(0 < each < 1 for each in (*card.mean, *card.sd))


SMALL = {"img_size": 32, "embed_dim": 24, "depth": 2, "num_heads": 2, "dynamic_img_size": False}


def test_readouts_of_tokens_by_hand() -> None:
    class Tokens(nn.Module):
        num_prefix_tokens = 2

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[[1.0], [100], [2], [4]]]).expand(len(images), -1, -1)

    for readout, wanted in (("token", [1]), ("mean", [3]), ("token+mean", [1, 3])):
        network = Encoder(Tokens(), Card(name="x", readout=readout))
        assert network(torch.zeros(2, 3, 4, 4)).tolist() == [wanted, wanted]


def test_a_small_vit_says_what_timm_says() -> None:
    """Its class token, of images normalised as the card says."""
    network = build_encoder("kaiko_vits8", weights="random", shape=SMALL, seed=3)
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        wanted = network.body.forward_features((images - 0.5) / 0.5)[:, 0]
        torch.testing.assert_close(network(images), wanted)


def test_any_network_of_timm_is_taken_as_timm_describes_it() -> None:
    card = card_of("resnet18.tv_in1k")
    assert (card.mean, card.sd, card.side) == (IMAGENET_MEAN, IMAGENET_SD, 224)
    small = {"channels": (4, 8, 8, 16)}
    network = build_encoder("resnet18.tv_in1k", weights="random", shape=small, seed=1)
    images = torch.rand(2, 3, 64, 64)
    np.testing.assert_allclose(
        network(images).numpy(), network.body(network.normalise(images)).mean(dim=(2, 3)).detach().numpy(), rtol=1e-5
    )


def test_the_digest_tells_weights_and_readout(tmp_path: Path) -> None:
    one, same, other = (build_encoder("kaiko_vits8", weights="random", shape=SMALL, seed=seed) for seed in (1, 1, 2))
    assert encoder_digest(one) == encoder_digest(same) != encoder_digest(other)
    save_file(one.body.state_dict(), tmp_path / "one.safetensors")
    read = build_encoder("kaiko_vits8", weights=str(tmp_path / "one.safetensors"), shape=SMALL, seed=9)
    assert encoder_digest(read) == encoder_digest(one)
    mean = Encoder(one.body, Card(name="x", readout="mean", mean=(0.5,) * 3, sd=(0.5,) * 3))
    assert encoder_digest(mean) != encoder_digest(one)
    unlike = Encoder(one.body, Card(name="x", readout="token", mean=(0.4,) * 3, sd=(0.5,) * 3))
    assert encoder_digest(unlike) != encoder_digest(one)


def test_building_leaves_torchs_generator_alone() -> None:
    torch.manual_seed(0)
    wanted = torch.rand(1)
    torch.manual_seed(0)
    build_encoder("kaiko_vits8", weights="random", shape=SMALL, seed=4)
    assert torch.equal(torch.rand(1), wanted)


def test_offline_no_weights_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(
        sys.modules["hepatica.networks.backbone"], "urlopen", lambda *_, **__: pytest.fail("the network was asked")
    )
    for name in ("kaiko_vits8", "resnet50"):
        with pytest.raises(UnavailableError, match=r"not on this machine, and --offline or.*FILE\.safetensors"):
            build_encoder(name)


def test_what_cannot_be_built_is_refused_with_a_way_on() -> None:
    with pytest.raises(SettingsError, match="no encoder is called 'uni3'; there are, for instance, uni"):
        build_encoder("uni3")
    with pytest.raises(SettingsError, match="phikon is no network of timm; compute its features elsewhere"):
        build_encoder("phikon")
