"""Module: one step of learning, its optimizer, its batches, and means of an epoch, which go on from any step."""

import math
from collections.abc import Callable, Sequence, Sized
from typing import Any

import torch
from lightning import LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from hepatica.cohort.errors import RunError
from hepatica.learn.augmentation import Augment
from hepatica.learn.bags import Bags
from hepatica.learn.images import as_network_input
from hepatica.learn.losses import Loss
from hepatica.learn.plan import Plan, seed_from, share_of_rate
from hepatica.learn.samples import Dealt, Fresh, GoneOn, Onward, Samples, Shuffled, loader


class Learner(LightningModule):
    """Trains a network whose first (or only) output is logits (b, classes), or estimates of targets (b, …).

    Notes `train_loss` (of the blends, where samples are mixed up) and, given validation samples, `validation_loss` and,
    of classes, `validation_accuracy`: means over the samples of an epoch.
    """

    def __init__(
        self, network: nn.Module, *, plan: Plan, augment: Augment | None = None, loss: Loss = cross_entropy
    ) -> None:
        super().__init__()
        self.network, self.plan, self.augment, self.loss = network, plan, augment, loss
        self.steps = 0
        """Steps done of the epoch at hand."""
        self.sums: dict[str, Tensor] = {}
        """Of the epoch at hand and this device: the sum over samples, and their number, (2,)."""
        self.shape: Sequence[int] = ()
        """Samples of a step, of all devices, and steps of an epoch, by which it was begun."""

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set torch's generator, so that augmentation and dropout are the same after a restart at any step."""
        seed = seed_from(self.plan.seed, epoch=self.current_epoch, rank=self.global_rank, step=batch_idx)
        if self.device.type == "cpu":
            torch.default_generator.manual_seed(seed)  # in 1 microsecond instead of 130
        else:
            torch.manual_seed(seed)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Loss of one augmented batch."""
        inputs, labels = batch
        inputs = as_network_input(inputs)
        if self.augment is not None:
            inputs = self.augment(inputs)
        loss = self._mixed_loss(inputs, labels) if self.plan.mixup else self.loss(self._outputs(inputs), labels)
        self._note(labels, train_loss=loss)
        self.steps = batch_idx + 1
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Loss and, of classes, accuracy of one batch as it is."""
        inputs, labels = batch
        outputs = self._outputs(as_network_input(inputs))
        found = {"validation_loss": self.loss(outputs, labels)}
        if not labels.is_floating_point():
            found["validation_accuracy"] = (outputs.argmax(dim=1) == labels).float().mean()
        self._note(labels, **found)

    def end_epoch(self) -> dict[str, float]:
        """The means over the samples of all devices, which begin anew."""
        strategy = self.trainer.strategy
        sums = {name: strategy.reduce(own, reduce_op="sum") for name, own in self.sums.items()}
        self.steps, self.sums = 0, {}
        return {name: float(total / count) for name, (total, count) in sums.items()}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add how far the epoch has come, with the sums of every device, (devices, 2)."""
        gathered = {name: _of_all(own, devices=self.trainer.world_size) for name, own in self.sums.items()}
        checkpoint["epoch_at_hand"] = {"steps": self.steps, "sums": gathered, "shape": list(self.shape)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on at that step; of another number of devices, the first has the sums of all."""
        begun, rank, world = checkpoint["epoch_at_hand"], self.global_rank, self.trainer.world_size
        self.steps, self.shape = begun["steps"], begun["shape"]
        if all(len(sums) == world for sums in begun["sums"].values()):
            self.sums = {name: sums[rank] for name, sums in begun["sums"].items()}
        else:
            self.sums = {name: sums.sum(dim=0) * (rank == 0) for name, sums in begun["sums"].items()}

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
        for name, mean in means.items():
            value = mean.detach().float()
            sums = torch.stack([value * len(labels), torch.full_like(value, len(labels))])
            self.sums[name] = self.sums[name].to(sums.device) + sums if name in self.sums else sums


def _of_all(own: Tensor, *, devices: int) -> Tensor:
    """The values of every device, (devices, …)."""
    found = [torch.empty_like(own) for _ in range(devices)]
    if devices > 1:
        torch.distributed.all_gather(found, own)
    return torch.stack(found if devices > 1 else [own])


def mixup(inputs: Tensor, *, alpha: float) -> tuple[Tensor, Callable[[Loss, Tensor, Tensor], Tensor]]:
    """Blend inputs (b, ...) in a ratio drawn from Beta(alpha, alpha), and say how to score logits on the blends.

    The second value takes a loss, the logits (b, classes) and the labels (b,) of the unblended inputs. Draws come from
    torch's own generator of the inputs' device, which `fit` sets at every step.

    Zhang H, Cisse M, Dauphin YN, Lopez-Paz D. ICLR 2018, arXiv 1710.09412, equation 1. As in the authors' code, a batch
    is blended with itself in another order, and all of its samples in one ratio.
    """
    shape = torch.tensor(alpha, device=inputs.device)
    share = torch.distributions.Beta(shape, shape, validate_args=False).sample()
    order = torch.randperm(len(inputs), device=inputs.device)

    def blended(loss: Loss, logits: Tensor, labels: Tensor) -> Tensor:
        return share * loss(logits, labels) + (1 - share) * loss(logits, labels[order])

    return share * inputs + (1 - share) * inputs[order], blended


def optimizer(network: nn.Module, *, plan: Plan) -> torch.optim.Optimizer:
    """The plan's optimizer for the weights of a network that are to learn.

    `weight_decay` goes to kernels and matrices alone: biases and the scale and shift of a normalisation, which have
    one axis, are spared (He T, et al. Bag of tricks. CVPR 2019, section 3.1, arXiv 1812.01187).
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            groups.setdefault(plan.weight_decay if parameter.dim() > 1 else 0.0, []).append(parameter)
    weights = [{"params": parameters, "weight_decay": decay} for decay, parameters in groups.items()]
    if plan.optimizer == "sgd":
        return torch.optim.SGD(weights, lr=plan.rate, momentum=plan.momentum)
    return torch.optim.Adam(weights, lr=plan.rate, betas=plan.betas)


class Loaders(LightningDataModule):
    """The training and the validation batches of one fit."""

    def __init__(self, samples: Samples | Fresh, validation: Samples | None, *, plan: Plan) -> None:
        super().__init__()
        self.samples, self.validation, self.plan = samples, validation, plan

    def train_dataloader(self) -> DataLoader[Any]:
        """Batch the training samples; the sampler starts at the right step, since workers read ahead at once.

        A lone last sample is left out, as batch normalisation cannot learn from one vector. Several devices leave out
        what one does; where they normalise, also what leaves one sample to each.
        """
        count = len(self.samples)
        assert self.trainer is not None
        whole, world = min(self.plan.batch, count), self.trainer.world_size
        batch, normalised = math.ceil(whole / world), self._is_normalised()
        drop = self.plan.drop_last or (count % whole == 1 and not normalised)
        kept = count - count % whole if drop else count
        # Not trainer.current_epoch, which is still one behind when a training is taken up again.
        progress: Any = self.trainer.fit_loop.epoch_progress.current
        learner: Any = self.trainer.lightning_module
        own = self._order(epoch=progress.processed, kept=kept)
        order = GoneOn(own, epoch=progress.processed, done=batch * learner.steps)
        alone = normalised and batch > 1 and math.ceil(kept / world) % batch == 1
        found = loader(self.samples, _source(self.samples), batch=batch, sampler=order, drop_last=drop or alone)
        self._go_on(learner, [batch * world, len(found)])
        return found

    def _go_on(self, learner: Learner, shape: Sequence[int]) -> None:
        if learner.steps and learner.shape != shape:
            (samples, steps), (before, of) = shape, learner.shape
            raise RunError(
                f"got {samples} samples a step and {steps} steps an epoch, wanted {before} and {of}, with which this"
                " epoch was begun; go on with as many processes as before"
            )
        learner.shape = shape

    def val_dataloader(self) -> DataLoader[Any]:
        """Batch the validation samples in their own order, all of them on each device, for none may count twice."""
        assert self.validation is not None
        return loader(self.validation, self.validation.inputs, batch=self.plan.batch)

    def _is_normalised(self) -> bool:
        assert self.trainer is not None
        return any(isinstance(each, _BatchNorm) for each in self.trainer.lightning_module.modules())

    def _order(self, *, epoch: int, kept: int) -> Shuffled | Onward | Dealt:
        assert self.trainer is not None
        order, world = self._whole_order(epoch=epoch), self.trainer.world_size
        return order if world == 1 else Dealt(order, rank=self.trainer.global_rank, world=world, length=kept)

    def _whole_order(self, *, epoch: int) -> Shuffled | Onward:
        if isinstance(self.samples, Fresh):
            return Onward(len(self.samples), epoch=epoch)
        onward = isinstance(self.samples.inputs, Bags)
        return Shuffled(len(self.samples), seed=self.plan.seed, epoch=epoch, onward=onward)


def _source(samples: Samples | Fresh) -> Sized:
    """Where the inputs come from: processes may have to read or make them ahead."""
    return samples if isinstance(samples, Fresh) else samples.inputs
