"""cCNN: networks that classify spectra, their temperature and their cut-off, all fixed on simulated spectra."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hepatica.networks import Reading, SpectralClassifier
from hepatica.spectroscopy.spectral_plan import SpectralPlan


class Ccnn(nn.Module):
    """An ensemble that reads (b, 2, 1, w) spectra: the mean of its members' logits, divided by one temperature.

    `cutoff` is the probability of the second class from which on a spectrum is called so. Both are kept and locked with
    the weights.
    """

    temperature: Tensor
    cutoff: Tensor

    def __init__(self, members: Sequence[SpectralClassifier]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("cutoff", torch.tensor(0.5, dtype=torch.float64))

    def forward(self, spectra: Tensor) -> Reading:
        """Classify a batch; the signature is the first member's."""
        answers = [member(spectra) for member in self.members]
        logits = torch.stack([each.logits for each in answers]).mean(dim=0) / self.temperature
        return Reading(logits, answers[0].signature)


def build_ccnn(plan: SpectralPlan) -> Ccnn:
    """The untrained networks; the same from one seed."""
    return Ccnn([SpectralClassifier(body, signature=plan.signature) for body in plan.bodies()])
