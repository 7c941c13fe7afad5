"""Plan: how long, how fast and on what evidence a network learns."""

from dataclasses import dataclass
from typing import Literal

from hepatica.cohort.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The numbers of one training with Adam; each system passes its paper's.

    `batch` counts the samples of one step on one device; a batch larger than the data is the whole data.
    `lr_step_epochs` multiplies the learning rate by `lr_step_factor` every so many epochs; None keeps it.
    `patience` stops after so many epochs in a row without a lower `monitor`; None never stops early.
    The weights kept are those of the epoch with the lowest `monitor`.
    `drop_last` leaves out of each epoch the samples that do not fill the last batch, others each time.

    Raises SettingsError for a number out of range.
    """

    epochs: int
    batch: int
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    lr_step_epochs: int | None = None
    lr_step_factor: float = 0.1
    patience: int | None = None
    monitor: Literal["train_loss", "validation_loss"] = "train_loss"
    drop_last: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "lr_step_epochs", "patience"):
            count = getattr(self, name)
            _require(count is None or count >= 1, f"{name} must be 1 or more, not {count}")
        _require(self.learning_rate > 0, f"learning_rate must be above 0, not {self.learning_rate}")
        _require(0 < self.lr_step_factor <= 1, f"lr_step_factor must be in (0, 1], not {self.lr_step_factor}")
        _require(all(0 <= beta < 1 for beta in self.betas), f"betas must be in [0, 1), not {self.betas}")
        _require(self.seed >= 0, f"seed must be 0 or more, not {self.seed}")
        monitors = ("train_loss", "validation_loss")
        _require(self.monitor in monitors, f"monitor must be one of {', '.join(monitors)}, not {self.monitor}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise SettingsError(f"{message}.")
