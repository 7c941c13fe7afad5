"""cCNN: networks that classify spectra, their temperature and their cut-off, all fixed on simulated spectra."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from hepatica.networks import SpectralClassifier
from hepatica.spectroscopy.networks.novelty import Usual, squeezed
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan


class Classified(NamedTuple):
    """Logits (b, 2) and signature (b, d); `strangeness` (b,) of the spectrum to the networks is above 1 where hardly
    one of those they learnt from was as strange. Tensors, or the arrays that `learn.infer` makes of them.
    """

    logits: Any
    signature: Any
    strangeness: Any


class Ccnn(nn.Module):
    """An ensemble that reads (b, 2, 1, w) spectra: the mean of its members' logits, divided by one temperature.

    `cutoff` is the probability of the second class from which on a spectrum is called so. Both are kept and locked with
    the weights.
    """

    temperature: Tensor
    cutoff: Tensor

    def __init__(self, members: Sequence[SpectralClassifier], *, signature: int, points: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.usual = Usual(signature=signature, features=2 * points)
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("cutoff", torch.tensor(0.5, dtype=torch.float64))

    def forward(self, spectra: Tensor) -> Classified:
        """Classify a batch; the signature is the first member's."""
        answers = [member(spectra) for member in self.members]
        logits = torch.stack([each.logits for each in answers]).mean(dim=0) / self.temperature
        signature = answers[0].signature
        return Classified(logits, signature, self.usual(signature, squeezed(spectra)))


def build_ccnn(plan: SpectralPlan) -> Ccnn:
    """The untrained networks; the same from one seed."""
    members = [SpectralClassifier(body, signature=plan.signature) for body in plan.bodies()]
    return Ccnn(members, signature=plan.signature, points=plan.model.ppm.size)
