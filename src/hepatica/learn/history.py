"""History: the losses of every epoch, and which epoch was kept."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


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
