"""Encoder: a frozen network that describes a tile by one vector, and what it is to be fed."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import torch
from einops import reduce
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError
from hepatica.networks import IMAGENET_MEAN, IMAGENET_SD, Normalise, backbone

Colours = tuple[float, float, float]
Readout = Literal["mean", "token", "token+mean"]


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of an encoder; fields as encoders.toml explains them."""

    name: str
    timm: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    hub: str = ""
    patch: int = 224
    mpp: float = 0.5
    input: int = 0
    mean: Colours = IMAGENET_MEAN
    sd: Colours = IMAGENET_SD
    readout: Readout = "mean"
    without: str = ""
    width: int = 0
    licence: str = ""
    gated: bool = False
    source: str = ""
    checked: str = "no"
    here: bool = True

    @property
    def side(self) -> int:
        """Pixels of a tile's side as the encoder reads it."""
        return self.input or self.patch

    @property
    def side_mpp(self) -> float:
        """Micrometres of those pixels."""
        return self.mpp * self.patch / self.side


@cache
def cards() -> Mapping[str, Card]:
    """The encoders of encoders.toml, by name."""
    found = tomllib.loads(Path(__file__).with_name("encoders.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: Card(name=name, **_with_colours(own)) for name, own in found.items()})


def _with_colours(own: Mapping[str, Any]) -> dict[str, Any]:
    return {**own, **{key: tuple(own[key]) for key in ("mean", "sd") if key in own}}


def card_of(name: str) -> Card:
    """The card of a listed encoder, or of any timm network by what timm says of it; SettingsError for neither."""
    import timm

    if name in cards():
        return cards()[name]
    known = [*timm.list_models(), *timm.list_pretrained()]
    if name not in known:
        near = ", ".join(get_close_matches(name, [*cards(), *known], n=4)) or ", ".join(cards())
        raise SettingsError(
            f"no encoder is called {name!r}; there are, for instance, {near}, and all networks of timm."
        )
    given: Any = timm.get_pretrained_cfg(name)
    if given is None:
        return Card(name=name, timm=name)
    colours: dict[str, Any] = {"mean": given.mean, "sd": given.std}
    return Card(name=name, timm=name, **colours, patch=given.input_size[-1], source="timm")


class Encoder(nn.Module):
    """Tiles (b, 3, h, w) in 0..1 to vectors (b, width); frozen."""

    def __init__(self, body: Any, card: Card) -> None:
        super().__init__()
        self.normalise, self.body, self.readout = Normalise(card.mean, card.sd), body, card.readout
        self.prefix = int(getattr(body, "num_prefix_tokens", 1))
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        """Describe a batch."""
        found: Tensor = self.body(self.normalise(images))
        if found.dim() == 4:
            return reduce(found, "b c h w -> b c", "mean")
        if found.dim() == 2:
            return found
        token, rest = found[:, 0], found[:, self.prefix :].mean(dim=1)
        return {"mean": rest, "token": token, "token+mean": torch.cat([token, rest], dim=1)}[self.readout]


def build_encoder(
    name: str, *, weights: str = "published", shape: Mapping[str, Any] = MappingProxyType({}), seed: int = 0
) -> Encoder:
    """The encoder of that name. `weights`: "published" are those of its hub, or timm's; "random" are drawn by `seed`;
    or a .safetensors file. `shape` are further arguments of timm, such as those that make it smaller.

    SettingsError for one that is no timm network, UnavailableError where its weights cannot be had.
    """
    import timm

    card = card_of(name)
    if not card.here:
        raise SettingsError(
            f"{name} is no network of timm; compute its features elsewhere, such as with TRIDENT, and name the files in"
            " a column `features` of specimens.csv"
        )
    args = {**card.args, **shape}
    if "mlp_layer" in args:
        args["mlp_layer"] = getattr(timm.layers, args["mlp_layer"])
    published = f"hub:{card.hub}" if card.hub else "imagenet"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body: Any = backbone(card.timm, weights=published if weights == "published" else weights, shape=args)
    if card.without:
        setattr(body, card.without, nn.Identity())
    return Encoder(body, card)


def encoder_digest(network: nn.Module) -> str:
    """32 characters that tell an encoder, by its architecture's names and every weight, from any other."""
    found = hashlib.sha256(repr((getattr(network, "readout", ""), getattr(network, "prefix", ""))).encode())
    tensors = {**network.state_dict(), **dict(network.named_buffers())}
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        found.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()[:32]
