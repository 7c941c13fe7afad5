"""Augmentation: random views of a batch of images, another draw for every image.

Each step takes and returns images (b, c, h, w) on [0, 1] and works on the whole batch at once, on its device.
Draws come from torch's own generator of that device, which `fit` sets at every step.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from einops import einsum, rearrange, reduce
from numpy.typing import ArrayLike
from torch import Tensor

from hepatica.cohort.errors import SettingsError

Augment = Callable[[Tensor], Tensor]

ERASED_ASPECT = (0.3, 1 / 0.3)
"""Smallest and largest height / width of an erased rectangle (Zhong et al. 2020, doi 10.1609/aaai.v34i07.7000)."""


def compose(*steps: Augment) -> Augment:
    """Apply steps one after the other."""

    def composed(images: Tensor) -> Tensor:
        for step in steps:
            images = step(images)
        return images

    return composed


def mirror(*, p: float = 0.5) -> Augment:
    """Mirror left to right with probability `p`."""
    _require_probability(p)
    return lambda images: torch.where(_chosen(images, p), images.flip(-1), images)


def flips(*, p: float = 0.5) -> Augment:
    """Mirror left to right with probability `p` and, independently, top to bottom with probability `p`."""
    _require_probability(p)

    def flip(images: Tensor) -> Tensor:
        images = torch.where(_chosen(images, p), images.flip(-1), images)
        return torch.where(_chosen(images, p), images.flip(-2), images)

    return flip


def quarter_turns() -> Augment:
    """Turn by 0, 90, 180 or 270 degrees, each as likely; no pixel is interpolated. Square images only."""

    def turn(images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        if height != width:
            raise SettingsError(f"quarter_turns needs square images, not {height} x {width}; use flips instead.")
        turns = rearrange(torch.randint(4, (len(images),), device=images.device), "b -> b 1 1 1")
        # A counterclockwise quarter turn is a transposition and then a flip top to bottom.
        images = torch.where(turns % 2 == 1, rearrange(images, "b c h w -> b c w h"), images)
        images = torch.where((turns == 1) | (turns == 2), images.flip(-2), images)
        return torch.where(turns >= 2, images.flip(-1), images)

    return turn


def jitter(*, brightness: float = 0.0, contrast: float = 0.0) -> Augment:
    """Change brightness, then contrast: the two factors of colour jitter that grey images have.

    Pixels are multiplied by a factor uniform in 1 - brightness..1 + brightness, and their distances to the image's mean
    by one uniform in 1 - contrast..1 + contrast. All channels change alike; the result is clipped to [0, 1].
    """
    for name, strength in (("brightness", brightness), ("contrast", contrast)):
        if not 0 <= strength <= 1:
            raise SettingsError(f"jitter needs {name} in 0..1, not {strength}.")

    def jittered(images: Tensor) -> Tensor:
        brighter, starker = 1 + torch.tensor([[brightness], [contrast]], device=images.device) * (
            2 * torch.rand(2, len(images), device=images.device) - 1
        )
        images = (images * rearrange(brighter, "b -> b 1 1 1")).clamp(0, 1)
        mean = reduce(images, "b c h w -> b 1 1 1", "mean")
        images = mean + (images - mean) * rearrange(starker, "b -> b 1 1 1")
        return images.clamp(0, 1)

    return jittered


def stains(matrix: ArrayLike, *, strength: float) -> Augment:
    """Make each stain of an image stronger or weaker, by a factor uniform in 1 - strength..1 + strength.

    `matrix` (stains, channels) holds how much of a unit of each stain's optical density, as a natural logarithm, is in
    each channel. What no stain explains stays, and so does glass. Source: Tellez et al. 2018, doi
    10.1109/TMI.2018.2820199, without their shift. Channels beyond those of `matrix` stay as they are.
    """
    if not 0 <= strength < 1:
        raise SettingsError(f"stains needs a strength in [0, 1), not {strength}.")
    directions = torch.as_tensor(np.asarray(matrix), dtype=torch.float32)

    def changed(images: Tensor) -> Tensor:
        to, back = directions.to(images.device), torch.linalg.pinv(directions).to(images.device)
        images, others = images[:, : directions.shape[1]].clamp(min=1 / 255), images[:, directions.shape[1] :]
        amounts = einsum(-images.log(), back, "b c h w, c s -> b s h w")
        more = strength * (2 * torch.rand(len(images), len(to), device=images.device) - 1)
        density = einsum(amounts, more, to, "b s h w, b s, s c -> b c h w")
        lit = (images * (-density).exp()).clamp(0, 1)
        return torch.cat([lit, others], dim=1)

    return changed


def noise(*, sd: float) -> Augment:
    """Add Gaussian noise of standard deviation `sd` to every pixel and channel; the result is clipped to [0, 1]."""
    if sd < 0:
        raise SettingsError(f"noise needs a standard deviation of 0 or more, not {sd}.")
    return lambda images: (images + sd * torch.randn_like(images)).clamp(0, 1)


def erase(*, p: float, area: tuple[float, float] = (0.02, 0.2)) -> Augment:
    """Cover, with probability `p`, one rectangle with the image's own mean colour (random erasing).

    `area` bounds the rectangle's share of the image; its aspect is log-uniform in `ERASED_ASPECT`, and it lies whole
    within the image. Source: Zhong et al. 2020, doi 10.1609/aaai.v34i07.7000; the mean colour instead of noise is ours.
    """
    _require_probability(p)
    if not 0 < area[0] <= area[1] <= 1:
        raise SettingsError(f"erase needs 0 < smallest <= largest area <= 1, not {area}.")

    def erased(images: Tensor) -> Tensor:
        covered = _rectangles(images, area) & _chosen(images, p)
        return torch.where(covered, reduce(images, "b c h w -> b c 1 1", "mean"), images)

    return erased


def _rectangles(images: Tensor, area: tuple[float, float]) -> Tensor:
    """Draw one rectangle for each image: (b, 1, h, w), true inside."""
    height, width = images.shape[-2:]
    count, device = len(images), images.device
    pixels = height * width * torch.empty(count, device=device).uniform_(*area)
    low, high = math.log(ERASED_ASPECT[0]), math.log(ERASED_ASPECT[1])
    aspect = torch.empty(count, device=device).uniform_(low, high).exp()
    rows = _spans((pixels * aspect).sqrt(), height)
    columns = _spans((pixels / aspect).sqrt(), width)
    return rearrange(rows, "b h -> b 1 h 1") & rearrange(columns, "b w -> b 1 1 w")


def _spans(lengths: Tensor, side: int) -> Tensor:
    """Place spans of the given lengths at random within a side: (b,) -> (b, side), true inside."""
    lengths = lengths.round().clamp(1, side)
    starts = (torch.rand_like(lengths) * (side - lengths + 1)).floor()
    places = torch.arange(side, device=lengths.device)
    starts, lengths = rearrange(starts, "b -> b 1"), rearrange(lengths, "b -> b 1")
    return (places >= starts) & (places < starts + lengths)


def _chosen(images: Tensor, p: float) -> Tensor:
    return rearrange(torch.rand(len(images), device=images.device) < p, "b -> b 1 1 1")


def _require_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise SettingsError(f"a probability must be in [0, 1], not {p}.")
