"""Weights: a trained network on disk as safetensors, with a note of what it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import RunError

Note = Mapping[str, Any]


def save_weights(network: nn.Module, path: Path, *, note: Note | None = None) -> None:
    """Write weights and buffers atomically, with a note of plain values; equal weights and notes give equal bytes."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in _named_once(network).items()}
    # One metadata key: the order of several changes from one process to the next.
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors, {"note": json.dumps(dict(note or {}))}))


def load_weights(network: nn.Module, path: Path) -> nn.Module:
    """Fill a network, in place, with the weights of a file that fits it exactly.

    Raises RunError where the file is damaged or its names or shapes are not the network's; the network is then
    untouched.
    """
    wanted = _named_once(network)
    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        raise RunError(f"the weights {path.name} cannot be read ({error}); train again or restore the file.") from error
    wrong = sorted(name for name in wanted.keys() | found.keys() if _shape(wanted, name) != _shape(found, name))
    if wrong:
        first = "; ".join(f"{name}: file {_shape(found, name)}, network {_shape(wanted, name)}" for name in wrong[:3])
        raise RunError(f"{path.name} holds another network ({len(wrong)} differ: {first}); use the settings it had.")
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(found[name])
    return network


def read_note(path: Path) -> dict[str, Any]:
    """Read the note of a weight file without its tensors."""
    with safe_open(path, "pt") as file:
        note: dict[str, Any] = json.loads((file.metadata() or {}).get("note", "{}"))
    return note


def _named_once(network: nn.Module) -> dict[str, Tensor]:
    """List the tensors of a network; one that two layers share is listed under its first name."""
    once: dict[Any, tuple[str, Tensor]] = {}
    for name, tensor in network.state_dict().items():
        place = (tensor.data_ptr(), tensor.shape, tensor.stride()) if tensor.numel() else name
        once.setdefault(place, (name, tensor))
    return dict(once.values())


def _shape(tensors: Mapping[str, Tensor], name: str) -> tuple[int, ...] | str:
    return tuple(tensors[name].shape) if name in tensors else "absent"
