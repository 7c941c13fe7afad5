"""Checkpoint: the state of a training, nested Python values with tensors in one safetensors file without pickle.

Tensors lie in the file as tensors. All else is one JSON text in its metadata, where numbers, text and None stand for
themselves and everything that holds other values is a list that begins with its kind: ["tuple", 1, ["list"]].
"""

import json
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric.plugins import CheckpointIO
from lightning.fabric.utilities.types import _PATH
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import RunError

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
