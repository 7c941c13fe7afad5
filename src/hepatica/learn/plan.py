"""Plan: how long, how fast and on what evidence a network learns."""

import math
from dataclasses import dataclass
from typing import Literal

from hepatica.cohort.errors import SettingsError

CHOICES = {
    "optimizer": ("adam", "sgd"),
    "schedule": ("steps", "cosine"),
    "monitor": ("train_loss", "validation_loss"),
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The numbers of one training; each system passes its paper's.

    `batch` counts the samples of one step on one device; a batch larger than the data is the whole data.
    `learning_rate` is meant for batches of `learning_rate_batch` and scaled to `batch`; None takes it as it is.
    `betas` are Adam's, `momentum` that of "sgd". `weight_decay` adds so much of each kernel's weights to their slopes.
    `warmup_epochs` raise the learning rate in equal steps; then it falls as `schedule` says: "cosine" to near 0 in the
    last epoch; "steps" by `lr_step_factor` every `lr_step_epochs`, None keeps it.
    `mixup` blends samples in pairs, in a ratio drawn from Beta(mixup, mixup); 0 blends none.
    `patience` stops after so many epochs in a row without a lower `monitor`; None never stops early.
    The weights kept are those of the epoch with the lowest `monitor`.
    `drop_last` leaves out of each epoch the samples that do not fill the last batch, others each time.

    Raises SettingsError for a number out of range.
    """

    epochs: int
    batch: int
    learning_rate: float
    learning_rate_batch: int | None = None
    optimizer: Literal["adam", "sgd"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Literal["steps", "cosine"] = "steps"
    warmup_epochs: int = 0
    lr_step_epochs: int | None = None
    lr_step_factor: float = 0.1
    mixup: float = 0.0
    patience: int | None = None
    monitor: Literal["train_loss", "validation_loss"] = "train_loss"
    drop_last: bool = False
    seed: int = 0

    @property
    def rate(self) -> float:
        """The full learning rate, scaled to the batch (Goyal et al., arXiv 1706.02677, section 2.1)."""
        return self.learning_rate * (self.batch / self.learning_rate_batch if self.learning_rate_batch else 1)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "learning_rate_batch", "lr_step_epochs", "patience"):
            count = getattr(self, name)
            _require(count is None or count >= 1, f"{name} must be 1 or more, not {count}")
        for name in ("weight_decay", "mixup", "seed"):
            _require(0 <= getattr(self, name) < math.inf, f"{name} must be 0 or more, not {getattr(self, name)}")
        for name, words in CHOICES.items():
            word = getattr(self, name)
            _require(word in words, f"{name} must be one of {', '.join(words)}, not {word}")
        _require(self.learning_rate > 0, f"learning_rate must be above 0, not {self.learning_rate}")
        _require(0 < self.lr_step_factor <= 1, f"lr_step_factor must be in (0, 1], not {self.lr_step_factor}")
        _require(all(0 <= beta < 1 for beta in self.betas), f"betas must be in [0, 1), not {self.betas}")
        _require(0 <= self.momentum < 1, f"momentum must be in [0, 1), not {self.momentum}")
        warm = self.warmup_epochs
        _require(0 <= warm < self.epochs, f"warmup_epochs must be 0 or more and below epochs, not {warm}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise SettingsError(f"{message}.")
