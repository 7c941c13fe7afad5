"""Spectral CNN: a residual network along the ppm axis that classifies spectra, or estimates numbers and how sure it is.

The paper (doi 10.2463/mrms.mp.2025-0064) calls its networks convolutional and says no more; all of this is ours.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError
from hepatica.networks.reading import Reading

STRIDE = 4
"""Points that become one position: 8 Hz of the usual acquisition, less than a line is wide."""

NORMAL_MEDIAN = 0.6744897501960817
"""Median of the absolute values of a standard normal distribution."""


class Estimates(NamedTuple):
    """(b, k, 2) mean and log variance of each of k targets, and the (b, d) signature they were computed from."""

    estimates: Tensor
    signature: Tensor


class NoiseScale(nn.Module):
    """(b, 2, 1, w) spectra, real and imaginary parts, to (b, 2, 1, w) in units of their noise, large values squeezed,
    and (b, 1) the logarithm of that unit: so a network sees peaks of any height as surely as they can be seen.

    The noise is told from fourth differences, which smooth lines hardly have; x becomes asinh(x / noise).
    Inside the network, so that training, inference and explanation cannot disagree on it.
    """

    def forward(self, spectra: Tensor) -> tuple[Tensor, Tensor]:
        """Scale a batch."""
        rough = spectra.diff(n=4, dim=-1).abs()
        # The coefficients 1, 4, 6, 4, 1 make the variance of white noise 70-fold.
        median = rearrange(rough, "b c h w -> b (c h w)").median(dim=1).values
        noise = (median / (NORMAL_MEDIAN * 70**0.5)).clamp(min=torch.finfo(spectra.dtype).tiny)
        scaled = torch.asinh(spectra / rearrange(noise, "b -> b 1 1 1"))
        return scaled, rearrange(noise.log(), "b -> b 1")


class Residual(nn.Module):
    """Two convolutions along the ppm axis and a way past them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(*_convolution(channels, channels), nn.ReLU(), *_convolution(channels, channels))
        self.clip = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        """(b, c, 1, w) to the same."""
        clipped: Tensor = self.clip(maps + self.change(maps))
        return clipped


class SpectralBody(nn.Module):
    """(b, 2, 1, w) spectra of `points` w to a signature (b, d): a convolution to `width` channels at a quarter of the
    positions, `depth` residual blocks, and three layers over all positions, two of `hidden` neurons.

    Positions are ppm and are not pooled. That few convolutions before dense layers learn the most in a given time on a
    processor: against three stages of residual blocks they saw six times as many spectra in 90 s of one core, and
    reached a likelihood that those did not (ours). Convolutions are two-dimensional with kernels of one row, which are
    computed 1.6 times as fast as one-dimensional ones. Raises SettingsError for spectra of another length.
    """

    def __init__(self, *, points: int, width: int, depth: int, hidden: int, signature: int, dropout: float) -> None:
        super().__init__()
        self.points = points
        self.scale = NoiseScale()
        self.unit = nn.BatchNorm1d(1)
        self.convolve = nn.Sequential(
            *_convolution(2, width, kernel=4 * STRIDE + 1, stride=STRIDE), nn.ReLU(),
            *(Residual(width) for _ in range(depth)),
        )  # fmt: skip
        positions = -(-points // STRIDE)
        self.sign = nn.Sequential(
            nn.Linear(width * positions + 1, hidden), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, signature), nn.ReLU(), nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, spectra: Tensor) -> Tensor:
        """Describe a batch."""
        if spectra.shape[1:] != (2, 1, self.points):
            raise SettingsError(
                f"got spectra of shape {tuple(spectra.shape[1:])}, wanted (2, 1, {self.points}): real and imaginary"
                " parts at the points that the network learns from"
            )
        scaled, unit = self.scale(spectra)
        maps = rearrange(self.convolve(scaled), "b c 1 w -> b (c w)")
        signature: Tensor = self.sign(torch.cat([maps, self.unit(unit)], dim=1))
        return signature


class SpectralClassifier(nn.Module):
    """(b, 2, 1, w) spectra to (b, classes) logits."""

    def __init__(self, body: nn.Module, *, signature: int, classes: int = 2) -> None:
        super().__init__()
        self.body = body
        self.classify = nn.Linear(signature, classes)

    def forward(self, spectra: Tensor) -> Reading:
        """Classify a batch."""
        signature = self.body(spectra)
        return Reading(self.classify(signature), signature)


class SpectralEstimator(nn.Module):
    """(b, 2, 1, w) spectra to the mean and the log variance of each of `targets` numbers, of a spread near 1."""

    def __init__(self, body: nn.Module, *, signature: int, targets: int) -> None:
        super().__init__()
        self.body = body
        self.estimate = nn.Linear(signature, 2 * targets)

    def forward(self, spectra: Tensor) -> Estimates:
        """Estimate the targets of a batch."""
        signature = self.body(spectra)
        return Estimates(rearrange(self.estimate(signature), "b (k two) -> b k two", two=2), signature)


def _convolution(before: int, after: int, *, kernel: int = 5, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(before, after, (1, kernel), stride=(1, stride), padding=(0, kernel // 2), bias=False)
    return convolution, nn.BatchNorm2d(after)
