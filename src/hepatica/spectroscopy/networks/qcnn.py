"""QCNN: an ensemble that gives concentrations, shift, widths and phases of spectra with their variances."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from hepatica.networks import SpectralEstimator
from hepatica.spectroscopy.fitting.signal_model import SHARED
from hepatica.spectroscopy.networks.novelty import Novelty, squeezed
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan

LARGEST_VARIANCE = 2.0
"""Of a squeezed quantity (ours): an uninformed network has no more than this, so that moments are finite."""

FARTHEST = 5.0
"""Spreads from the centre to which estimates are clipped (ours): a novel spectrum must not give infinity."""


class Scales(nn.Module):
    """u = (asinh(x / softness) - centre) / spread, for each of k quantities x.

    asinh is straight below `softness` and a logarithm above it: with a softness near its Cramer-Rao bound, a quantity
    is learnt in absolute terms where it drowns in noise and in relative terms where it does not.
    """

    softness: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, quantities: int) -> None:
        super().__init__()
        self.register_buffer("softness", torch.ones(quantities))
        self.register_buffer("centre", torch.zeros(quantities))
        self.register_buffer("spread", torch.ones(quantities))

    def learn(self, values: Tensor, *, softness: Tensor) -> None:
        """Take the softness (k,) as given, centre and spread from values (n, k)."""
        squeezed = torch.asinh(values.double() / softness.double())
        self.softness.copy_(softness)
        self.centre.copy_(squeezed.mean(dim=0))
        self.spread.copy_(squeezed.std(dim=0).clamp(min=torch.finfo(torch.float32).eps))

    def forward(self, values: Tensor) -> Tensor:
        """(…, k) quantities to what a network learns."""
        return (torch.asinh(values / self.softness) - self.centre) / self.spread

    def bounds(self, values: Tensor, sd: Tensor) -> Tensor:
        """(…, k) standard deviations of what a network learns, of small ones `sd` of quantities (…, k)."""
        return sd / (self.spread * (values**2 + self.softness**2).sqrt())

    def moments(self, estimates: Tensor) -> tuple[Tensor, Tensor]:
        """Means and variances (…, k) of quantities, of means and log variances (…, k, 2) of what a network learns.

        Exact for a normal distribution there: E sinh(m + z s) = sinh(m) e^(s²/2), and Var likewise in a form without
        differences of large numbers.
        """
        mean = self.centre + self.spread * estimates[..., 0].clamp(-FARTHEST, FARTHEST)
        variance = (self.spread**2 * estimates[..., 1].exp()).clamp(max=LARGEST_VARIANCE)
        sinh, grown = torch.sinh(mean), variance.exp()
        spread = torch.expm1(2 * variance) / 2 + grown * torch.expm1(variance) * sinh**2
        return self.softness * sinh * (variance / 2).exp(), self.softness**2 * spread


class Measured(NamedTuple):
    """Values and standard deviations (b, k + 5): k concentrations in mM, then `signal_model.SHARED`.

    `novelty` (b,) of the spectrum is above 1 where hardly one of the training spectra was as
    novel; the signature is (b, d). Tensors, or the arrays that `learn.infer` makes of them.
    """

    value: Any
    sd: Any
    novelty: Any
    signature: Any


class Qcnn(nn.Module):
    """An ensemble that reads (b, 2, 1, w) spectra, and its calibration, which is kept and locked with it.

    The mean over members is given, and the variance within and between them (Lakshminarayanan 2017, arXiv 1612.01474),
    times a factor for each quantity by which intervals of 1.96 standard deviations cover the truth in 95 % of held-out
    simulated spectra (split conformal; Lei 2018, doi 10.1080/01621459.2017.1307116). `norm` is the median norm of the
    spectra it learnt from, to which one of unknown scale is brought.
    """

    widening: Tensor
    correlation: Tensor
    norm: Tensor

    def __init__(self, members: Sequence[nn.Module], *, quantities: int, signature: int, points: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.scales = Scales(quantities)
        self.novelty = Novelty(signature=signature, features=2 * points)
        self.register_buffer("widening", torch.ones(quantities))
        self.register_buffer("correlation", torch.eye(quantities))
        self.register_buffer("norm", torch.ones(()))

    def forward(self, spectra: Tensor) -> Measured:
        """Quantify a batch."""
        answers = [member(spectra) for member in self.members]
        means, variances = (
            torch.stack(each) for each in zip(*(self.scales.moments(one.estimates) for one in answers), strict=True)
        )
        variance = variances.mean(dim=0) + means.var(dim=0, unbiased=False)
        signature = answers[0].signature
        novelty = self.novelty(signature, squeezed(spectra))
        return Measured(means.mean(dim=0), variance.sqrt() * self.widening, novelty, signature)


def build_qcnn(plan: SpectralPlan) -> Qcnn:
    """The untrained networks for the components of the plan's model; the same from one seed."""
    quantities = len(plan.model.names) + len(SHARED)
    members = [SpectralEstimator(body, signature=plan.signature, targets=quantities) for body in plan.bodies()]
    return Qcnn(members, quantities=quantities, signature=plan.signature, points=plan.model.ppm.size)
