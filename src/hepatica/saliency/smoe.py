"""SMOE: which places of an image excite a network's channels most unevenly, found in one forward pass.

Mundhenk TN, Chen BY, Friedland G. Efficient saliency maps for explainable AI. arXiv 1911.11293.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from einops import reduce
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hepatica.cohort.errors import SettingsError
from hepatica.saliency.grad_cam import evaluating

RESNET_LAYERS = ("act1", "layer1", "layer2", "layer3", "layer4")
"""Where the reference looks in a ResNet, in timm's names: the stem before its pooling, and the end of each stage."""

SILENCE = 1e-7
"""Added to every activation, so that a silent channel has a logarithm (the reference's)."""

ROUNDING = 1e-5
"""Fewer bits than this are rounding: a logarithm of four channels, up to 96, has an error of 8e-6 (ours)."""

FLAT = 1e-6
"""A spread of a map below this share of its largest value is rounding, not a difference (ours)."""

TINY = 1e-18
"""Spread of a map below which its square vanishes in float32 (ours)."""

TOGETHER = 2**21
"""Activations mapped together (ours): 8 MB stay in the processor's cache, and the memory is not asked for anew."""


def smoe_scale(activations: Tensor) -> Tensor:
    """SMOE scale of activations (b, k, y, x), after a ReLU and below 1e9: maps (b, y, x), float32, 0 or more.

    m (log2 m - mean over k of log2 x_k), m being the mean over k: 0 where all channels are equally excited or none is,
    large where few are, strongly. Scales with the activations. What is below 0 counts as 0.
    """
    images = torch.split(activations, max(1, TOGETHER // max(1, activations[:1].numel())))
    return torch.cat([_scale(each) for each in images])


def _scale(activations: Tensor) -> Tensor:
    excited = activations.float().clamp(min=0).add_(SILENCE)
    mean = reduce(excited, "b k y x -> b y x", "mean")
    bits = mean.log2() - _sum_of_logarithms(excited) / excited.shape[1]
    return torch.where(bits > ROUNDING, mean * bits, 0.0)


def _sum_of_logarithms(excited: Tensor) -> Tensor:
    """Sum over k of log2 x_k, by one logarithm for four channels: it is what takes the time."""
    quarter = excited.shape[1] // 4
    fours = excited[:, :quarter] * excited[:, quarter : 2 * quarter]
    fours *= excited[:, 2 * quarter : 3 * quarter]
    fours *= excited[:, 3 * quarter : 4 * quarter]
    rest = excited[:, 4 * quarter :]
    return reduce(fours.log2_(), "b k y x -> b y x", "sum") + reduce(rest.log2(), "b k y x -> b y x", "sum")


@contextmanager
def smoe_watch(network: nn.Module, *, layers: Sequence[str] = RESNET_LAYERS) -> Iterator[dict[str, Tensor]]:
    """Note the SMOE scale of named layers whenever the network answers within the block; the last answer's stays.

    The block gets {layer: map (b, y, x)}, empty until the network answers. No activation is kept. `layers` are names of
    modules as in `network.named_modules()`, such as "body.layer1". Raises SettingsError for a name that it has not.
    """
    modules = dict(network.named_modules())
    if unknown := [layer for layer in layers if layer not in modules]:
        raise SettingsError(f"got layers {', '.join(unknown)}, wanted some of {', '.join(filter(None, modules))}")
    maps: dict[str, Tensor] = {}
    with ExitStack() as hooks:
        for layer in layers:
            hooks.enter_context(modules[layer].register_forward_hook(_noting(maps, layer)))
        yield maps


def _noting(maps: dict[str, Tensor], layer: str) -> Any:
    def note(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        if output.ndim != 4:
            raise SettingsError(f"{layer} gives {tuple(output.shape)}, wanted a feature map (b, k, y, x)")
        with torch.no_grad():
            maps[layer] = smoe_scale(output)

    return note


def gauss_norm(maps: Tensor) -> Tensor:
    """Rank of each value of maps (b, y, x) under a normal distribution with its map's mean and unbiased SD, in 0..1.

    A map without differences, or with a value that is no number, becomes zeros; the reference's constant map is NaN.
    """
    maps = maps.float()
    mean = reduce(maps, "b y x -> b 1 1", "mean")
    spread = (reduce((maps - mean) ** 2, "b y x -> b 1 1", "sum") / max(maps[0].numel() - 1, 1)).sqrt()
    low, high = reduce(maps, "b y x -> b 1 1", "min"), reduce(maps, "b y x -> b 1 1", "max")
    uneven = high - low > (FLAT * high.abs().maximum(low.abs())).clamp(min=TINY)
    return torch.where(uneven, torch.special.ndtr((maps - mean) / spread), 0.0)


def normalised(maps: Mapping[str, Tensor], *, size: Sequence[int]) -> Tensor:
    """Bring the maps of layers (b, y, x) to one scale and size, (b, layers, h, w) in 0..1, in their order."""
    same = [gauss_norm(each)[:, None] for each in maps.values()]
    return torch.cat([interpolate(each, list(size), mode="bilinear", align_corners=False) for each in same], dim=1)


def combined(maps: Tensor, *, weights: Sequence[float] | None = None) -> Tensor:
    """The mean (b, h, w) of the maps of layers (b, layers, h, w), weighted; the reference weighs all the same.

    Raises SettingsError for weights that are below 0, all 0 or not one a layer.
    """
    shares = torch.ones(maps.shape[1]) if weights is None else torch.tensor(weights, dtype=torch.float32)
    if len(shares) != maps.shape[1] or not (shares >= 0).all() or not shares.any():
        raise SettingsError(
            f"got weights {weights} for {maps.shape[1]} layers, wanted one of 0 or more each, not all 0"
        )
    return torch.einsum("n,bnhw->bhw", (shares / shares.sum()).to(maps), maps)


def smoe(
    network: nn.Module,
    images: Tensor,
    *,
    layers: Sequence[str] = RESNET_LAYERS,
    weights: Sequence[float] | None = None,
) -> np.ndarray:
    """Map where images (b, c, h, w) excite a network, whatever its answer: (b, h, w), float32 in 0..1.

    `layers` and `weights` are those of `smoe_watch` and `combined`, whose errors are raised; with `smoe_watch` the
    answer's own pass gives the maps. The network answers as in use and is left as it was.
    """
    with torch.inference_mode(), evaluating(network), smoe_watch(network, layers=layers) as maps:
        network(images)
    return np.asarray(combined(normalised(maps, size=images.shape[-2:]), weights=weights).cpu().numpy())
