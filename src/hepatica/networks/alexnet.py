"""AlexNet: five convolutions and three fully connected layers, as torchvision has them, of any width."""

from pathlib import Path

import torch
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError
from hepatica.networks.backbone import read_weights
from hepatica.networks.heads import Reading

LAST = "classifier.6."
"""The layer that a transfer replaces."""


class AlexNet(nn.Module):
    """(b, 3, h, w) to logits (b, outputs), and the last hidden layer; parameters are named as torchvision's.

    Krizhevsky 2014 (arXiv 1404.5997). `width` scales every layer but the first and the last. Sides of 63 pixels or
    more.
    """

    def __init__(self, outputs: int, *, width: float = 1.0, dropout: float = 0.5) -> None:
        super().__init__()
        a, b, c, d, hidden = (max(1, round(width * each)) for each in (64, 192, 384, 256, 4096))
        self.features = nn.Sequential(
            nn.Conv2d(3, a, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(a, b, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(b, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, d, 3, padding=1), nn.ReLU(),
            nn.Conv2d(d, d, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )  # fmt: skip
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(6), nn.Flatten())
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(36 * d, hidden), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Reading:
        """Classify a batch."""
        signature = self.classifier[:-1](self.pool(self.features(images)))
        return Reading(self.classifier[-1](signature), signature)

    def load(self, weights: Path) -> None:
        """Take torchvision's weights, but for the last layer, from a .safetensors file; SettingsError where they do not
        fit.
        """
        found = {name: each for name, each in read_weights(weights).items() if not name.startswith(LAST)}
        own = {name: each for name, each in self.state_dict().items() if not name.startswith(LAST)}
        if {name: each.shape for name, each in found.items()} != {name: each.shape for name, each in own.items()}:
            raise SettingsError(f"{weights.name} does not hold torchvision's AlexNet of this width; wanted its weights")
        with torch.no_grad():
            self.load_state_dict(found, strict=False)
