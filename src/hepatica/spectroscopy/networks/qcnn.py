"""qCNN: networks that quantify, and what turns their answers into calibrated concentrations."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from hepatica.networks import SpectralEstimator
from hepatica.spectroscopy.fitting.signal_model import SHARED
from hepatica.spectroscopy.networks.novelty import Usual, squeezed
from hepatica.spectroscopy.networks.scales import Scales
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan


class Measured(NamedTuple):
    """Values and standard deviations (b, k + 5): k concentrations in mM, then `signal_model.SHARED`.

    `strangeness` (b,) of the spectrum to the networks is above 1 where hardly one of those they learnt from was as
    strange; the signature is (b, d). Tensors, or the arrays that `learn.infer` makes of them.
    """

    value: Any
    sd: Any
    strangeness: Any
    signature: Any


class Qcnn(nn.Module):
    """An ensemble that reads (b, 2, 1, w) spectra, and its calibration, which is kept and locked with it.

    The mean over members is told, and the variance within and between them (Lakshminarayanan 2017, arXiv 1612.01474),
    times a factor for each quantity by which intervals of 1.96 standard deviations held the truth in 95 % of held-out
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
        self.usual = Usual(signature=signature, features=2 * points)
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
        strangeness = self.usual(signature, squeezed(spectra))
        return Measured(means.mean(dim=0), variance.sqrt() * self.widening, strangeness, signature)


def build_qcnn(plan: SpectralPlan) -> Qcnn:
    """The untrained networks for the components of the plan's model; the same from one seed."""
    quantities = len(plan.model.names) + len(SHARED)
    members = [SpectralEstimator(body, signature=plan.signature, targets=quantities) for body in plan.bodies()]
    return Qcnn(members, quantities=quantities, signature=plan.signature, points=plan.model.ppm.size)
