"""Spectral CNN: a residual network along the ppm axis that classifies spectra, or estimates numbers and how sure it is.

The paper (doi 10.2463/mrms.mp.2025-0064) calls its networks convolutional and says no more; all of this is ours.
"""

from typing import NamedTuple

import torch
from einops import rearrange, reduce
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError
from hepatica.networks.heads import Reading

STRIDE = 4
"""Points that become one position: 8 Hz of the usual acquisition, less than a line is wide."""

RELATIVE = 3.0
"""Height of the highest point on the second scale (ours): of the order of the squeezed values."""

RIDGE = 1e-6
"""Ridge of a line, as a share of a feature's variance (ours): only against features that are one another's copies."""

LEAST_LINE = 0.5
"""Spread of what a line leaves, as a share of the target's, from which on there is none (ours)."""

NORMAL_MEDIAN = 0.6744897501960817
"""Median of the absolute values of a standard normal distribution."""


class Estimates(NamedTuple):
    """(b, k, 2) mean and log variance of each of k targets, and the (b, d) signature they were computed from."""

    estimates: Tensor
    signature: Tensor


class TwoScales(nn.Module):
    """(b, 2, 1, w) spectra, real and imaginary parts, to (b, 4, 1, w): the same in units of their noise, large values
    squeezed, and in units of their highest point; and to (b, 2) the logarithms of these units.

    So a network sees small peaks as surely as the noise allows and large ones in proportion. The noise comes from
    fourth differences, which smooth lines hardly have; x becomes asinh(x / noise). Inside the network, so that
    training, inference and explanation cannot disagree on it.
    """

    def forward(self, spectra: Tensor) -> tuple[Tensor, Tensor]:
        """Scale a batch."""
        rough = spectra.diff(n=4, dim=-1).abs()
        # The coefficients 1, 4, 6, 4, 1 make the variance of white noise 70-fold.
        median = rearrange(rough, "b c h w -> b (c h w)").median(dim=1).values
        noise = median / (NORMAL_MEDIAN * 70**0.5)
        highest = reduce(spectra.abs(), "b c h w -> b", "max")
        units = torch.stack([noise, highest], dim=1).clamp(min=torch.finfo(spectra.dtype).tiny)
        squeezed = torch.asinh(spectra / rearrange(units[:, 0], "b -> b 1 1 1"))
        relative = RELATIVE * spectra / rearrange(units[:, 1], "b -> b 1 1 1")
        return torch.cat([squeezed, relative], dim=1), units.log()


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
        self.scale = TwoScales()
        self.units = nn.BatchNorm1d(2)
        self.convolve = nn.Sequential(
            *_convolution(4, width, kernel=4 * STRIDE + 1, stride=STRIDE), nn.ReLU(),
            *(Residual(width) for _ in range(depth)),
        )  # fmt: skip
        positions = -(-points // STRIDE)
        self.sign = nn.Sequential(
            nn.Linear(width * positions + 2, hidden), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, signature), nn.ReLU(), nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, spectra: Tensor) -> Tensor:
        """Describe a batch."""
        scaled, units = self.scaled(spectra)
        maps = rearrange(self.convolve(scaled), "b c 1 w -> b (c w)")
        signature: Tensor = self.sign(torch.cat([maps, self.units(units)], dim=1))
        return signature

    def scaled(self, spectra: Tensor) -> tuple[Tensor, Tensor]:
        """What `TwoScales` makes of a batch."""
        if spectra.shape[1:] != (2, 1, self.points):
            raise SettingsError(
                f"got spectra of shape {tuple(spectra.shape[1:])}, wanted (2, 1, {self.points}): real and imaginary"
                " parts at the points that the network learns from"
            )
        scaled: tuple[Tensor, Tensor] = self.scale(spectra)
        return scaled


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
    """(b, 2, 1, w) spectra to the mean and the log variance of each of `targets` numbers, of a spread near 1.

    What is a straight line of the squeezed spectrum need not be learnt: `draw_line` fits it in closed form to some
    spectra, and the network learns the rest, in units of the rest's spread. In a fatty liver the logarithm of a lipid
    is such a line to 4 to 13 % of its spread; so started, networks err half as far of what they did (ours, measured).
    """

    line: Tensor
    rest: Tensor

    def __init__(self, body: SpectralBody, *, signature: int, targets: int) -> None:
        super().__init__()
        self.body = body
        self.estimate = nn.Linear(signature, 2 * targets)
        self.register_buffer("line", torch.zeros(2 * body.points + 3, targets))
        self.register_buffer("rest", torch.ones(targets))

    def forward(self, spectra: Tensor) -> Estimates:
        """Estimate the targets of a batch."""
        signature = self.body(spectra)
        mean, log_variance = rearrange(self.estimate(signature), "b (k two) -> two b k", two=2)
        mean = self._straight(spectra) @ self.line + self.rest * mean
        return Estimates(torch.stack([mean, log_variance + 2 * self.rest.log()], dim=-1), signature)

    @torch.no_grad()
    def draw_line(self, spectra: Tensor, targets: Tensor) -> None:
        """Fit, in place, straight lines (ridge) of targets (n, k) to spectra (n, 2, 1, w), for those that they explain.

        A target of which less than three quarters of the variance is explained has none: its line would add noise.
        """
        features, wanted = self._straight(spectra).double(), targets.double()
        spread = features.std(dim=0).clamp(min=1e-6)
        scaled = features / spread
        ridge = RIDGE * len(scaled) * torch.eye(scaled.shape[1], dtype=torch.float64)
        line = torch.linalg.solve(scaled.T @ scaled + ridge, scaled.T @ wanted)
        rest = (wanted - scaled @ line).std(dim=0) / wanted.std(dim=0)
        explained = rest < LEAST_LINE
        self.line.copy_(torch.where(explained, line / rearrange(spread, "f -> f 1"), 0))
        self.rest.copy_(torch.where(explained, rest * wanted.std(dim=0), 1))

    def _straight(self, spectra: Tensor) -> Tensor:
        scaled, units = self.body.scaled(spectra)
        squeezed = rearrange(scaled[:, :2], "b c h w -> b (c h w)")
        return torch.cat([squeezed, units, torch.ones_like(units[:, :1])], dim=1)


def _convolution(before: int, after: int, *, kernel: int = 5, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(before, after, (1, kernel), stride=(1, stride), padding=(0, kernel // 2), bias=False)
    return convolution, nn.BatchNorm2d(after)
