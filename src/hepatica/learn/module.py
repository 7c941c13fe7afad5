"""Module: one step of learning, the same for all our networks."""

from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hepatica.learn.augmentation import Augment
from hepatica.learn.images import as_network_input
from hepatica.learn.losses import Loss
from hepatica.learn.mixup import mixup
from hepatica.learn.optimizer import optimizer
from hepatica.learn.plan import Plan
from hepatica.learn.schedule import share_of_rate
from hepatica.learn.seeds import seed_from


class Learner(LightningModule):
    """Trains a network whose first (or only) output is logits (b, classes), or estimates of targets (b, …).

    Logs `train_loss` (of the blends, where samples are mixed up) and, given validation samples, `validation_loss` and,
    of classes, `validation_accuracy`: means over samples.
    """

    def __init__(
        self, network: nn.Module, *, plan: Plan, augment: Augment | None = None, loss: Loss = cross_entropy
    ) -> None:
        super().__init__()
        self.network, self.plan, self.augment, self.loss = network, plan, augment, loss

    def on_train_epoch_start(self) -> None:
        """Set torch's generator, so that augmentation and dropout are the same after a restart."""
        torch.manual_seed(seed_from(self.plan.seed, epoch=self.current_epoch, rank=self.global_rank))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Loss of one augmented batch."""
        inputs, labels = batch
        inputs = as_network_input(inputs)
        if self.augment is not None:
            inputs = self.augment(inputs)
        loss = self._mixed_loss(inputs, labels) if self.plan.mixup else self.loss(self._outputs(inputs), labels)
        self._note(labels, train_loss=loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Loss and, of classes, accuracy of one batch as it is."""
        inputs, labels = batch
        outputs = self._outputs(as_network_input(inputs))
        found = {"validation_loss": self.loss(outputs, labels)}
        if not labels.is_floating_point():
            found["validation_accuracy"] = (outputs.argmax(dim=1) == labels).float().mean()
        self._note(labels, **found)

    def configure_optimizers(self) -> Any:
        """The plan's optimizer, and its learning rate from epoch to epoch."""
        learner = optimizer(self.network, plan=self.plan)
        share = torch.optim.lr_scheduler.LambdaLR(learner, lambda epoch: share_of_rate(self.plan, epoch=epoch))
        return [learner], [share]

    def _mixed_loss(self, inputs: Tensor, labels: Tensor) -> Tensor:
        blends, blended = mixup(inputs, alpha=self.plan.mixup)
        return blended(self.loss, self._outputs(blends), labels)

    def _outputs(self, inputs: Any) -> Tensor:
        if isinstance(inputs, Tensor) and inputs.dim() == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        outputs = self.network(inputs)
        first: Tensor = outputs if isinstance(outputs, Tensor) else outputs[0]
        return first

    def _note(self, labels: Tensor, **means: Tensor) -> None:
        self.log_dict(means, on_step=False, on_epoch=True, batch_size=len(labels), sync_dist=True)
