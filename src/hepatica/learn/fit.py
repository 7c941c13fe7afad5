"""Fit: train a network, from wherever the last attempt was stopped, and keep its best weights."""

import hashlib
import json
import logging
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.utilities.seed import isolate_rng
from torch import nn
from torch.nn.functional import cross_entropy

from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.errors import RunError, SettingsError, UnavailableError
from hepatica.learn.augmentation import Augment
from hepatica.learn.checkpoint import SafeCheckpoints, load_tree
from hepatica.learn.fresh import Fresh
from hepatica.learn.history import History
from hepatica.learn.images import channels_last
from hepatica.learn.losses import Loss
from hepatica.learn.module import Learner, Loaders
from hepatica.learn.plan import Plan
from hepatica.learn.samples import Samples
from hepatica.learn.watch import Watch
from hepatica.learn.weights import load_weights, save_weights

IDENTITY, UNFINISHED, FINISHED, HISTORY = "fit.json", "unfinished.safetensors", "finished.safetensors", "history.json"


def fit(
    network: nn.Module,
    samples: Samples | Fresh,
    plan: Plan,
    *,
    folder: Path,
    label: str,
    validation: Samples | None = None,
    augment: Augment | None = None,
    loss: Loss = cross_entropy,
    trainer: Mapping[str, Any] | None = None,
) -> History:
    """Train a network in place; it ends in evaluation mode, on the CPU, with the weights of the best epoch.

    The network's first (or only) output is what `loss` takes beside the labels: logits (b, classes), or estimates of
    targets. `folder` belongs to this one fit: after every epoch it holds a checkpoint, in the end
    `finished.safetensors` and `history.json`. Called again after a kill, `fit` goes on after the last whole epoch and
    ends as if nothing had happened, because the order of the samples, fresh samples, augmentation and dropout depend on
    the plan's seed and the epoch alone: with the same weights to the last bit on a CPU with as many threads. Called
    again on a finished folder, it loads. torch's own generator is left as it was either way.

    `trainer` takes Lightning's flags (accelerator, devices, strategy, precision, …); by default one device, the best
    there is, in bfloat16 where a GPU has it. `label` names the fit in messages.

    Raises RunError where the folder holds another fit or the loss is no longer a number, SettingsError for a flag that
    Lightning does not know or a monitor without its samples, UnavailableError for a device that is not there.
    """
    if plan.monitor == "validation_loss" and validation is None:
        raise SettingsError(f"{label}: monitor = validation_loss needs validation samples; or monitor train_loss.")
    _claim(folder, _identity(network, samples, plan, label), label=label)
    if not (folder / FINISHED).exists():
        watch = Watch(plan=plan, checkpoint=folder / UNFINISHED, label=label)
        module = Learner(channels_last(network).train(), plan=plan, augment=augment, loss=loss)
        with quiet(), isolate_rng():
            engine = _train(module, Loaders(samples, validation, plan=plan), watch, flags=trainer or {})
        if engine.is_global_zero:
            _finish(network, watch, folder=folder)
        engine.strategy.barrier()
    (folder / UNFINISHED).unlink(missing_ok=True)
    load_weights(network, folder / FINISHED)
    network.zero_grad()
    network.eval()
    return History.from_dict(read_json(folder / HISTORY))


def _identity(network: nn.Module, samples: Samples | Fresh, plan: Plan, label: str) -> dict[str, Any]:
    """Say which fit this is; not by its inputs or first weights, whose last bits may differ between machines."""
    shapes = [(name, list(tensor.shape)) for name, tensor in network.state_dict().items()]
    identity = {
        "label": label,
        "samples": len(samples),
        "labels": samples.digest,
        "network": hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:12],
        **{field.name: getattr(plan, field.name) for field in fields(Plan)},
    }
    plain: dict[str, Any] = json.loads(json.dumps(identity))
    return plain


def _claim(folder: Path, identity: dict[str, Any], *, label: str) -> None:
    """Take a folder for this fit, or make sure that it is this fit's."""
    file = folder / IDENTITY
    if not file.exists():
        write_json(file, identity)
    stored = read_json(file)
    names = [name for name in stored.keys() | identity.keys() if stored.get(name) != identity.get(name)]
    if names:
        differing = "; ".join(f"{name}: {stored.get(name)} there, {identity.get(name)} here" for name in sorted(names))
        raise RunError(
            f"{label}: {folder} holds another fit ({differing}); "
            "train into another folder, or remove this one to start anew."
        )
    for left in folder.glob(".*finished.*.part.*"):
        left.unlink()  # by a kill in the middle of writing


def _train(module: Learner, loaders: Loaders, watch: Watch, *, flags: Mapping[str, Any]) -> Trainer:
    trainer = _trainer(loaders, watch, flags)
    start = watch.checkpoint if watch.checkpoint.exists() else None
    try:
        trainer.fit(module, datamodule=loaders, ckpt_path=start, weights_only=False)
    except SystemExit as stopped:  # Lightning's answer to Ctrl-C is exit code 1, to SIGTERM 0
        if isinstance(stopped.__context__, KeyboardInterrupt):
            raise stopped.__context__ from None
        raise SystemExit(128 + signal.SIGTERM) from None
    return trainer


def _trainer(loaders: Loaders, watch: Watch, flags: Mapping[str, Any]) -> Trainer:
    ours: dict[str, Any] = {
        "max_epochs": watch.plan.epochs,
        "callbacks": [watch, *_progress_bar()],
        "plugins": [SafeCheckpoints()],
        "default_root_dir": watch.checkpoint.parent,
        "logger": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "enable_progress_bar": sys.stderr.isatty(),
        "num_sanity_val_steps": 0,
        "limit_val_batches": 1.0 if loaders.validation is not None else 0,
    }
    if taken := ours.keys() & flags.keys():
        raise SettingsError(f"{', '.join(sorted(taken))}: set by fit itself; leave out of the trainer's flags.")
    try:
        return Trainer(**{"devices": 1, "precision": _precision(flags), **flags, **ours})
    except (TypeError, ValueError) as error:
        raise SettingsError(f"Lightning does not take this flag or its value: {error}") from error
    except (MisconfigurationException, RuntimeError) as error:
        raise UnavailableError(f"{error} Or leave accelerator and devices out to use what is here.") from error


def _precision(flags: Mapping[str, Any]) -> str:
    on_gpu = flags.get("accelerator", "auto") in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"


def _progress_bar() -> list[RichProgressBar]:
    return [RichProgressBar(console_kwargs={"stderr": True})] if sys.stderr.isatty() else []


def _finish(network: nn.Module, watch: Watch, *, folder: Path) -> None:
    """Write the history, then the best weights: `finished.safetensors` is the sign that all is done."""
    state = load_tree(watch.checkpoint)["callbacks"][watch.state_key]
    watch.load_state_dict(state)
    if not watch.done:
        done, all_ = len(watch.epochs), watch.plan.epochs
        raise RunError(f"{watch.label}: stopped after epoch {done} of {all_}; start it again to go on from there.")
    network.load_state_dict(watch.best_weights)
    history = watch.history()
    write_json(folder / HISTORY, history.as_dict())
    save_weights(network, folder / FINISHED, note={"label": watch.label, "epoch": history.best})


@contextmanager
def quiet() -> Iterator[None]:
    """Silence, within the block, Lightning's notes and its advice to programmers; its other warnings pass."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Advice such as "use more workers" or "a GPU is there"; `loaders` and the user have decided that.
            warnings.simplefilter("ignore", PossibleUserWarning)
            # Lightning 2.6 makes a class that torch 2.15 has renamed; nothing our users could change.
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
