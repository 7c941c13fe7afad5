"""Fit: train a network, from wherever the last attempt was stopped, and keep its best weights.

Checkpoint: the state of a training, nested Python values with tensors in one safetensors file without pickle.

Tensors lie in the file as tensors. All else is one JSON text in its metadata, where numbers, text and None stand for
themselves and everything that holds other values is a list that begins with its kind: ["tuple", 1, ["list"]].
"""

import ctypes
import hashlib
import json
import logging
import sys
import warnings
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from lightning.fabric.plugins import CheckpointIO
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.types import _PATH
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.utilities.seed import isolate_rng
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hepatica.cohort.atomic import read_json, replacing, sweep, write_json
from hepatica.cohort.errors import RunError, SettingsError, UnavailableError
from hepatica.cohort.preparation import Lines
from hepatica.learn.asked import ENDED, asked
from hepatica.learn.augmentation import Augment
from hepatica.learn.images import channels_last
from hepatica.learn.launch import of_ranks
from hepatica.learn.losses import Loss
from hepatica.learn.module import Learner, Loaders
from hepatica.learn.plan import History, Plan
from hepatica.learn.samples import Fresh, Samples
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
    targets. `folder` belongs to this one fit: after every epoch, every minute within one, and at SIGTERM, which ends it
    by SystemExit, it gets a checkpoint, in the end `finished.safetensors` and `history.json`. Called again after a
    kill, `fit` goes on with the step after that and ends as if nothing had happened, because the order of the samples,
    fresh samples, augmentation and dropout depend on the plan's seed, the epoch and the step alone: with the same
    weights to the last bit on a CPU with as many threads. Called again on a finished folder, it loads. torch's own
    generator is left as it was either way.

    `trainer` takes Lightning's flags (accelerator, devices, strategy, precision, …); by default one device, the best
    there is, in bfloat16 where a GPU has it; in a process that `launch` has begun, those of all. `label` names the fit
    in messages.

    Raises RunError where the folder holds another fit or the loss is no longer a number, or an epoch was begun by other
    numbers of devices with other steps, SettingsError for a flag that
    Lightning does not know or a monitor without its samples, UnavailableError for a device that is not there.
    """
    if plan.monitor == "validation_loss" and validation is None:
        raise SettingsError(f"{label}: monitor = validation_loss needs validation samples; or monitor train_loss.")
    _claim(folder, _identity(network, samples, plan, label), label=label)
    if not (folder / FINISHED).exists():
        watch = Watch(plan=plan, checkpoint=folder / UNFINISHED, label=label)
        module = Learner(channels_last(network).train(), plan=plan, augment=augment, loss=loss)
        _keep_memory()
        with quiet(), isolate_rng(), asked(watch.ask) as watch.handler:
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
        "chance": "by step",  # by epoch in earlier versions, whose checkpoints would go on otherwise
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
    sweep(folder)


def _train(module: Learner, loaders: Loaders, watch: Watch, *, flags: Mapping[str, Any]) -> Trainer:
    trainer = _trainer(loaders, watch, flags)
    start = watch.checkpoint if watch.checkpoint.exists() else None
    try:
        trainer.fit(module, datamodule=loaders, ckpt_path=start, weights_only=False)
    except SystemExit as stopped:  # Lightning's answer to Ctrl-C is exit code 1
        if isinstance(stopped.__context__, KeyboardInterrupt):
            raise stopped.__context__ from None
        raise
    if watch.asked:
        raise SystemExit(ENDED)
    return trainer


def _keep_memory() -> None:
    """Let glibc keep what one step frees for the next one, up to 1 GB: the kernel need not clear new pages each time,
    which took a third of the processor time of a training on a loaded machine (measured with Liu 2022's quick network).
    """
    with suppress(AttributeError, OSError, TypeError):  # another system's C library
        libc = ctypes.CDLL(None)
        for parameter in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            libc.mallopt(parameter, 2**30)


def _trainer(loaders: Loaders, watch: Watch, flags: Mapping[str, Any]) -> Trainer:
    ours: dict[str, Any] = {
        "max_epochs": watch.plan.epochs,
        "max_steps": -1,
        "max_time": None,
        "overfit_batches": 0.0,
        "callbacks": [watch, NamedBar(watch.label) if sys.stderr.isatty() else EpochLines(watch)],
        "plugins": [SafeCheckpoints()],
        "default_root_dir": watch.checkpoint.parent,
        "logger": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "enable_progress_bar": sys.stderr.isatty(),
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,  # which would shuffle again
        "val_check_interval": 1.0,
        "check_val_every_n_epoch": 1,
        "limit_val_batches": 1.0 if loaders.validation is not None else 0,
    }
    if taken := ours.keys() & flags.keys():
        raise SettingsError(f"{', '.join(sorted(taken))}: set by fit itself; leave out of the trainer's flags.")
    try:
        return Trainer(**{"devices": 1, **of_ranks(), "precision": _precision(flags), **flags, **ours})
    except (TypeError, ValueError) as error:
        raise SettingsError(f"Lightning does not take this flag or its value: {error}") from error
    except (MisconfigurationException, RuntimeError) as error:
        raise UnavailableError(f"{error} Or leave accelerator and devices out to use what is here.") from error


def _precision(flags: Mapping[str, Any]) -> str:
    on_gpu = flags.get("accelerator", "auto") in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"


class NamedBar(RichProgressBar):
    """Lightning's bar, which says of which network it is."""

    def __init__(self, label: str) -> None:
        super().__init__(console_kwargs={"stderr": True})
        self.label = label

    def _get_train_description(self, current_epoch: int) -> str:
        return f"{self.label}: {super()._get_train_description(current_epoch)}"


class EpochLines(Callback):
    """Where there is no terminal, a line now and then says which epoch of which network is done."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count from what an earlier attempt has done."""
        self.lines = Lines(f"training {self.watch.label}", self.watch.plan.epochs, done=len(self.watch.epochs))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say so, with the loss that is watched."""
        monitor = self.watch.plan.monitor
        if trainer.is_global_zero:
            value = getattr(self.watch.epochs[-1], monitor)
            self.lines.show(len(self.watch.epochs), further=f", {monitor} {value:.3g}")


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
            # Of several processes, whose weights lie channels last; it costs a copy.
            warnings.filterwarnings("ignore", message="Grad strides do not match", category=UserWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


PLAIN = (type(None), bool, int, float, str)
SEQUENCES: dict[str, type] = {kind.__name__: kind for kind in (list, tuple, set)}
MAPPINGS: dict[str, type] = {kind.__name__: kind for kind in (dict, OrderedDict, Counter)}


def save_tree(tree: Any, path: Path) -> None:
    """Write a tree atomically; TypeError for a value whose kind could not be read back exactly."""
    tensors: dict[str, Tensor] = {}
    text = json.dumps(_encode(tree, tensors))
    with replacing(path) as temporary:
        # Not save_file, which hides the file from the rest of its owner's group (mode 0600).
        temporary.write_bytes(save(tensors, {"tree": text}))


def load_tree(path: Path) -> Any:
    """Read a tree, its tensors on the CPU; RunError for a file that is damaged or of another kind."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
            return _decode(json.loads(file.metadata()["tree"]), tensors)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path.name} is damaged or not a checkpoint of hepatica ({error}); remove it.") from error


def _encode(value: Any, tensors: dict[str, Tensor]) -> Any:
    kind = type(value)
    if kind in PLAIN:
        return value
    if isinstance(value, Tensor):
        return _encode_tensor(value, tensors)
    if isinstance(value, np.generic):
        return ["numpy", value.dtype.str, value.item()]
    if kind.__name__ in SEQUENCES and kind is SEQUENCES[kind.__name__]:
        return [kind.__name__, *(_encode(item, tensors) for item in value)]
    if kind.__name__ in MAPPINGS and kind is MAPPINGS[kind.__name__]:
        return [kind.__name__, *([_encode(key, tensors), _encode(item, tensors)] for key, item in value.items())]
    raise TypeError(f"a checkpoint cannot hold a {kind.__qualname__} without pickle: {value!r:.80}")


def _encode_tensor(tensor: Tensor, tensors: dict[str, Tensor]) -> list[str]:
    # Copies, because safetensors refuses tensors that share memory; the memory order is noted, because arithmetic in
    # another order may round differently and a resumed training would no longer be the same to the last bit.
    last = tensor.dim() == 4 and not tensor.is_contiguous() and tensor.is_contiguous(memory_format=torch.channels_last)
    key = f"{len(tensors):06d}"
    tensors[key] = tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
    return ["tensor", key, "channels last" if last else "contiguous"]


def _decode(code: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(code, list):
        return code
    kind, *content = code
    if kind == "tensor":
        key, order = content
        memory = torch.channels_last if order == "channels last" else torch.contiguous_format
        return tensors[key].clone(memory_format=memory)
    if kind == "numpy":
        return np.dtype(content[0]).type(content[1])
    if kind in SEQUENCES:
        return SEQUENCES[kind](_decode(item, tensors) for item in content)
    pairs = [(_decode(key, tensors), _decode(item, tensors)) for key, item in content]
    # Through dict, because a Counter counts pairs instead of taking them.
    return MAPPINGS[kind](dict(pairs))


class SafeCheckpoints(CheckpointIO):
    """Lightning's checkpoints as safetensors files, whole or not at all."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: _PATH, storage_options: Any = None) -> None:
        """Write a checkpoint."""
        save_tree(checkpoint, Path(path))

    def load_checkpoint(self, path: _PATH, map_location: Any = None, weights_only: bool | None = None) -> Any:
        """Read a checkpoint onto the CPU; Lightning moves it to the device."""
        return load_tree(Path(path))

    def remove_checkpoint(self, path: _PATH) -> None:
        """Remove a checkpoint."""
        Path(path).unlink(missing_ok=True)
