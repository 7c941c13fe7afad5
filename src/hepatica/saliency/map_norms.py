"""Map norms: three ways to bring saliency maps of any scale to 0..1, each map by its own values.

All take and give maps (b, y, x). A map without differences, or with a value that is no number, becomes zeros.
Source: the released code of arXiv 1911.11293 (LLNL/fastcam), as formulae; there a constant map becomes NaN (Gauss).
"""

from collections.abc import Callable
from typing import Literal

import torch
from einops import reduce
from torch import Tensor

Norm = Literal["gauss", "gamma", "range"]

FLAT = 1e-6
"""A spread below this share of the largest value is rounding, not a difference (ours)."""

NEWTON_STEPS = 10
LARGEST_SHAPE = 18.0
"""Of a gamma distribution; the released code's limit. With larger shapes it is nearly a normal one."""


def gauss_norm(maps: Tensor) -> Tensor:
    """Each value's rank under a normal distribution with the map's mean and unbiased standard deviation."""
    maps = maps.float()
    mean = reduce(maps, "b y x -> b 1 1", "mean")
    spread = (reduce((maps - mean) ** 2, "b y x -> b 1 1", "sum") / max(maps[0].numel() - 1, 1)).sqrt()
    return _where_uneven(maps, torch.special.ndtr((maps - mean) / spread))


def gamma_norm(maps: Tensor) -> Tensor:
    """Each value's rank under the gamma distribution most likely for the map, whose values are 0 or more.

    Its shape k solves log k - digamma(k) = s, where s = log mean - mean log, by Newton's method from
    (3 - s + sqrt((s - 3)² + 24 s)) / 12 s; its scale is mean / k.
    """
    values = maps.double() + 1e-7  # the released code's, so that 0 has a logarithm
    mean = reduce(values, "b y x -> b 1 1", "mean")
    s = mean.log() - reduce(values.log(), "b y x -> b 1 1", "mean")
    s = s.clamp(min=1e-9)
    k = (3 - s + ((s - 3) ** 2 + 24 * s).sqrt()) / (12 * s)
    for _ in range(NEWTON_STEPS):
        k = k - (k.log() - torch.digamma(k) - s) / (1 / k - torch.polygamma(1, k))
    k = k.clamp(max=LARGEST_SHAPE)
    # Single precision: the incomplete gamma function is the dear part, and its error is below 1e-6.
    shape, places = k.float().expand(maps.shape), (values * k / mean).float()
    return _where_uneven(maps.float(), torch.special.gammainc(shape, places))


def range_norm(maps: Tensor) -> Tensor:
    """0 at the map's smallest value, 1 at its largest, in proportion between."""
    maps = maps.float()
    low, high = reduce(maps, "b y x -> b 1 1", "min"), reduce(maps, "b y x -> b 1 1", "max")
    return _where_uneven(maps, (maps - low) / (high - low))


def _where_uneven(maps: Tensor, normed: Tensor) -> Tensor:
    low, high = reduce(maps, "b y x -> b 1 1", "min"), reduce(maps, "b y x -> b 1 1", "max")
    return torch.where(high - low > FLAT * high.abs().maximum(low.abs()), normed, 0.0)


NORMS: dict[Norm, Callable[[Tensor], Tensor]] = {"gauss": gauss_norm, "gamma": gamma_norm, "range": range_norm}
