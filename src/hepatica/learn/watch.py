"""Watch: what a training remembers from step to step, and when all of it is saved."""

import math
import signal
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from hepatica.cohort.errors import RunError
from hepatica.learn.asked import ENDED
from hepatica.learn.plan import Epoch, History, Plan, share_of_rate

EVERY = 60.0
"""Seconds of training after which it is saved within an epoch; ours."""

RARELY = 50
"""How many times as long as saving took the training goes on before the next one, so that saving costs 2 %; ours."""


class Watch(Callback):
    """What a training remembers from step to step.

    `ask` is the answer to SIGTERM, of which `handler` is Python's form: the training ends at the next step that it can
    save, after a validation that has begun.

    Everything is part of the one checkpoint file that replaces the last one whole, so that weights, best weights and
    losses can never come from different steps after a kill. Lightning's own callbacks write several files.
    """

    def __init__(self, *, plan: Plan, checkpoint: Path, label: str) -> None:
        self.plan, self.checkpoint, self.label = plan, checkpoint, label
        self.epochs: list[Epoch] = []
        self.best = 0
        self.best_weights: dict[str, Tensor] = {}
        self.handler: Any = None
        self.asked = self.at_work = False

    def ask(self) -> None:
        """Let the training end; before and after the steps, at once."""
        if not self.at_work:
            raise SystemExit(ENDED)
        self.asked = True

    @property
    def stopped_early(self) -> bool:
        """Whether too many epochs in a row brought no lower loss."""
        return self.plan.patience is not None and len(self.epochs) - 1 - self.best >= self.plan.patience

    @property
    def done(self) -> bool:
        """Whether there is nothing left to train."""
        return self.stopped_early or len(self.epochs) >= self.plan.epochs

    def history(self) -> History:
        """What happened."""
        monitor, early = self.plan.monitor, self.stopped_early and len(self.epochs) < self.plan.epochs
        return History(epochs=tuple(self.epochs), best=self.best, monitor=monitor, stopped_early=early)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Train no further after a kill between the last epoch and the end."""
        trainer.should_stop = self.done
        self.due = time.monotonic() + EVERY
        self.at_work = True
        # Lightning has put its own in its place, in which one of several devices may wait for ever.
        if self.handler is not None:
            signal.signal(signal.SIGTERM, self.handler)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save where it is time, or a device is asked to end; the last step is saved with its epoch."""
        steps = batch_idx + 1
        if steps == trainer.num_training_batches or steps % trainer.accumulate_grad_batches:
            return
        if trainer.strategy.reduce_boolean_decision(self.asked or time.monotonic() >= self.due, all=False):
            self._save(trainer)
            self._end_where_asked(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the losses, keep the weights if they are the best, save all."""
        learner: Any = pl_module
        epoch = self._epoch(learner.end_epoch())
        self.epochs.append(epoch)
        if len(self.epochs) == 1 or self._monitored(epoch) < self._monitored(self.epochs[self.best]):
            self.best = len(self.epochs) - 1
            state = learner.network.state_dict()
            self.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
        trainer.should_stop = self.done
        self._save(trainer)
        self._end_where_asked(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From here on nothing has to be saved."""
        self.at_work = False

    def state_dict(self) -> dict[str, Any]:
        """Everything, for the checkpoint."""
        epochs = [asdict(epoch) for epoch in self.epochs]
        return {"epochs": epochs, "best": self.best, "best_weights": self.best_weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.epochs = [Epoch(**epoch) for epoch in state_dict["epochs"]]
        self.best, self.best_weights = state_dict["best"], state_dict["best_weights"]

    def _save(self, trainer: Trainer) -> None:
        begun = time.monotonic()
        trainer.save_checkpoint(self.checkpoint, weights_only=False)
        now = time.monotonic()
        self.due = now + max(EVERY, RARELY * (now - begun))

    def _end_where_asked(self, trainer: Trainer) -> None:
        if trainer.strategy.reduce_boolean_decision(self.asked, all=False):
            raise SystemExit(ENDED)

    def _epoch(self, means: dict[str, float]) -> Epoch:
        rate = self.plan.rate * share_of_rate(self.plan, epoch=len(self.epochs))
        epoch = Epoch(**means, learning_rate=rate)
        if not math.isfinite(self._monitored(epoch)):
            raise RunError(
                f"{self.label}: {self.plan.monitor} became {self._monitored(epoch)} in epoch {len(self.epochs) + 1}; "
                "lower learning_rate, or look for inputs that are not numbers."
            )
        return epoch

    def _monitored(self, epoch: Epoch) -> float:
        value: float = getattr(epoch, self.plan.monitor)
        return value
