"""Spectrum and table system: does this patient have HCC, judged from a liver spectrum and two blood values together?

Features of a small convolutional network and the values enter one linear layer.

Departures: none. Unclear: none.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hepatica.clinical.room import TABLES, TablePlan
from hepatica.cohort import Binary
from hepatica.networks import Standardise
from hepatica.protocol import Paper, System
from hepatica.protocol.plain import train_plainly
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.room import SPECTRA


@dataclass(frozen=True, kw_only=True)
class Settings(SpectralPlan, TablePlan):
    """The numbers of Methods."""

    columns: tuple[str, ...] = ("age_years", "sex=male")
    epochs: int = 20


class Fused(nn.Module):
    """Spectra and values, by name, to logits (b, 2)."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.spectrum = nn.Sequential(nn.Conv2d(2, 8, (1, 9), stride=(1, 4)), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 16)))
        self.values = Standardise(columns)
        self.head = nn.Linear(8 * 16 + 2 * columns, 2)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return self.head(torch.cat([self.spectrum(inputs["spectrum"]).flatten(1), self.values(inputs["labs"])], dim=1))


def build(settings: Settings, *, pretrained: bool) -> Fused:
    """The untrained network; the same from one seed."""
    torch.manual_seed(settings.seed)
    return Fused(len(settings.columns))


REPORTED = {"internal": {"auroc hcc": 0.9}}

SYSTEM = System(
    name="spectrum_and_table",
    question="Does this patient have HCC?",
    paper=Paper(title="Fusion", authors="Doe J.", journal="Ex.", year=2026, doi="10.0/f", reported=REPORTED),
    task=Binary("hcc"),
    inputs={"spectrum": SPECTRA, "labs": TABLES},
    settings=Settings(),
    build=build,
    train=train_plainly,
)
