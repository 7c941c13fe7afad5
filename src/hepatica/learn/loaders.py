"""Loaders: the batches of one training, as Lightning asks for them."""

import math
from collections.abc import Sized
from typing import Any

from lightning import LightningDataModule
from torch.utils.data import DataLoader

from hepatica.learn.batches import Shuffled, loader
from hepatica.learn.fresh import Fresh, Onward
from hepatica.learn.plan import Plan
from hepatica.learn.samples import Samples


class Loaders(LightningDataModule):
    """The training and the validation batches of one fit."""

    def __init__(self, samples: Samples | Fresh, validation: Samples | None, *, plan: Plan) -> None:
        super().__init__()
        self.samples, self.validation, self.plan = samples, validation, plan

    def train_dataloader(self) -> DataLoader[Any]:
        """Batch the training samples; the sampler starts at the right epoch, since workers read ahead at once."""
        count = len(self.samples)
        batch = min(self.plan.batch, count)
        assert self.trainer is not None
        # Not trainer.current_epoch, which is still one behind when a training is taken up again.
        progress: Any = self.trainer.fit_loop.epoch_progress.current
        order = self._order(epoch=progress.processed)
        # A lone last sample is left out of that epoch: batch normalisation cannot learn from one vector.
        alone = batch > 1 and math.ceil(count / self.trainer.world_size) % batch == 1
        drop = self.plan.drop_last or alone
        return loader(self.samples, _source(self.samples), batch=batch, sampler=order, drop_last=drop)

    def val_dataloader(self) -> DataLoader[Any]:
        """Batch the validation samples in their own order, all of them."""
        assert self.validation is not None
        return loader(self.validation, self.validation.inputs, batch=self.plan.batch)

    def _order(self, *, epoch: int) -> Shuffled | Onward:
        if isinstance(self.samples, Fresh):
            return Onward(len(self.samples), epoch=epoch)
        return Shuffled(len(self.samples), seed=self.plan.seed, epoch=epoch)


def _source(samples: Samples | Fresh) -> Sized:
    """Where the inputs come from: processes may have to read or make them ahead."""
    return samples if isinstance(samples, Fresh) else samples.inputs
