"""Plan: duration, learning rate, random seed and patient shares of one training, and the history of its losses."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from hepatica.cohort.errors import SettingsError

Share = Annotated[float, Field(ge=0, lt=1)]
"""A share, in [0, 1)."""

CHOICES = {
    "optimizer": ("adam", "sgd"),
    "schedule": ("steps", "cosine"),
    "monitor": ("train_loss", "validation_loss"),
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The numbers of one training; each system passes its paper's.

    Raises SettingsError for a number out of range.
    """

    epochs: int
    """Passes over the training samples."""
    batch: int
    """Samples per step, of all devices together; a batch larger than the data is all the data."""
    learning_rate: float
    """Full learning rate, for batches of `learning_rate_batch`."""
    learning_rate_batch: int | None = None
    """Batch to which the learning rate refers and from which it is scaled to `batch`; none: not scaled."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """adam, or sgd with momentum."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's decay rates."""
    momentum: float = 0.9
    """Momentum of sgd."""
    weight_decay: float = 0.0
    """Fraction of each kernel's weights that is added to their gradients."""
    schedule: Literal["steps", "cosine"] = "steps"
    """cosine falls to near 0 in the last epoch; steps by `lr_step_factor` every `lr_step_epochs`."""
    warmup_epochs: int = 0
    """Epochs in which the learning rate rises in equal steps."""
    lr_step_epochs: int | None = None
    """Epochs between steps of the schedule; none: constant learning rate."""
    lr_step_factor: float = 0.1
    """Factor of each step, in (0, 1]."""
    mixup: float = 0.0
    """Samples are mixed in pairs, in a ratio drawn from Beta(mixup, mixup); 0: no mixing."""
    patience: int | None = None
    """Consecutive epochs without a lower `monitor` after which training stops; none: no early stopping."""
    monitor: Literal["train_loss", "validation_loss"] = "train_loss"
    """The loss that is monitored; the weights kept are those of the epoch in which it was lowest."""
    drop_last: bool = False
    """Whether an incomplete last batch is dropped, with different samples in each epoch."""
    validation: float = 0.1
    """Fraction of patients, in [0, 1), used to tune the training."""
    test: float = 0.2
    """Fraction of patients, in [0, 1), set aside for testing before anything is fitted."""
    seed: int = 0
    """Seed of the random numbers; the same seed gives the same result."""

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
        for name in ("validation", "test"):
            _require(0 <= getattr(self, name) < 1, f"{name} must be in [0, 1), not {getattr(self, name)}")
        _require(self.learning_rate > 0, f"learning_rate must be above 0, not {self.learning_rate}")
        _require(0 < self.lr_step_factor <= 1, f"lr_step_factor must be in (0, 1], not {self.lr_step_factor}")
        _require(all(0 <= beta < 1 for beta in self.betas), f"betas must be in [0, 1), not {self.betas}")
        _require(0 <= self.momentum < 1, f"momentum must be in [0, 1), not {self.momentum}")
        warm = self.warmup_epochs
        _require(0 <= warm < self.epochs, f"warmup_epochs must be 0 or more and below epochs, not {warm}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise SettingsError(f"{message}.")


def seed_from(seed: int, *, epoch: int, rank: int = 0, step: int = 0) -> int:
    """Mix a seed with an epoch, the number of a device and a step into one 64-bit seed; near inputs give unrelated
    outputs.
    """
    return int(np.random.SeedSequence([seed, epoch, rank, step]).generate_state(1, np.uint64)[0])


def share_of_rate(plan: Plan, *, epoch: int) -> float:
    """The factor on `plan.rate` in an epoch, counted from 0; in 0..1.

    For W `warmup_epochs`, epoch e below W has the share (e + 1) / (W + 1). After these,
    "steps": lr_step_factor ** ((e - W) // lr_step_epochs);
    "cosine": (1 + cos(π (e - W) / (E - W))) / 2 of all E epochs, with the full rate in epoch W.

    Warm-up: Goyal et al., arXiv 1706.02677, section 2.2, in equal steps an epoch (ours). Cosine: Loshchilov and
    Hutter, arXiv 1608.03983, equation 5, without restarts.
    """
    warm = plan.warmup_epochs
    if epoch < warm:
        return (epoch + 1) / (warm + 1)
    if plan.schedule == "cosine":
        return (1 + math.cos(math.pi * (epoch - warm) / max(plan.epochs - warm, 1))) / 2
    return plan.lr_step_factor ** ((epoch - warm) // (plan.lr_step_epochs or plan.epochs))


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the training samples; the validation numbers are None without validation samples."""

    train_loss: float
    learning_rate: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None


@dataclass(frozen=True, kw_only=True)
class History:
    """The epochs in order; `best` is the number, from 0, of the epoch whose weights were kept."""

    epochs: tuple[Epoch, ...]
    best: int
    monitor: str
    stopped_early: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "History":
        """Read back what `as_dict` gave."""
        return cls(**{**content, "epochs": tuple(Epoch(**epoch) for epoch in content["epochs"])})
