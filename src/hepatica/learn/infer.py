"""Infer: what a trained network says of every input, in their order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

from hepatica.cohort.preparation import tracked
from hepatica.learn.images import as_network_input, channels_last
from hepatica.learn.samples import Inputs, each, loader, read_tensor

Outputs = Callable[[Any], Any]
"""From what the network returns to what is wanted of it: tensors, or a tuple of tensors, each (b, …)."""


def infer(
    network: nn.Module,
    inputs: Inputs,
    *,
    batch: int,
    label: str,
    outputs: Outputs | None = None,
    device: str | None = None,
) -> Any:
    """Run a network over inputs: a float32 array (n, …), or a tuple (named as the network's own) of such arrays.

    `outputs` is applied to what the network returns for each batch (softmax, say, or picking one of several outputs).
    Dropout is off and batch normalisation frozen; the network gets its modes and its device back. Runs on `device`, by
    default on the GPU if there is one, in float32 everywhere, so that a locked cut-off means the same on any machine.
    `label` names the work in the progress bar. No inputs give arrays of no rows.
    """
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    with evaluating(network, where), torch.inference_mode():
        parts = [_run(network, rows, outputs, where) for rows in _batches(inputs, batch, label)]
        if not parts:
            # One blank input tells how many columns the outputs have.
            none = read_tensor(inputs, np.zeros(0, dtype=np.int64))
            blank = each(lambda empty: empty.new_zeros(1, *empty.shape[1:]), none)
            parts = [_no_rows(_run(network, blank, outputs, where))]
    return _join(parts)


@dataclass(frozen=True)
class _Reading(Dataset[Any]):
    inputs: Inputs

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitems__(self, indices: list[int]) -> Any:
        return read_tensor(self.inputs, np.asarray(indices, dtype=np.int64))


def _batches(inputs: Inputs, batch: int, label: str) -> Iterator[Any]:
    batches = loader(_Reading(inputs), inputs, batch=batch)
    yield from tracked(batches, label, len(batches), transient=True)


@contextmanager
def evaluating(network: nn.Module, device: torch.device) -> Iterator[None]:
    """The network on a device, without dropout and with batch normalisation frozen; afterwards as it was."""
    modes = {module: module.training for module in network.modules()}
    home = next((parameter.device for parameter in network.parameters()), device)
    channels_last(network).to(device).eval()
    try:
        yield
    finally:
        network.to(home)
        for module, training in modes.items():
            module.training = training


def _run(network: nn.Module, rows: Any, outputs: Outputs | None, device: torch.device) -> Any:
    values = as_network_input(each(lambda part: part.to(device), rows))
    result = network(values)
    return _to_numpy(outputs(result) if outputs else result)


def _to_numpy(result: Any) -> Any:
    if isinstance(result, Tensor):
        return result.float().cpu().numpy()
    return _like(result, [_to_numpy(part) for part in result])


def _no_rows(result: Any) -> Any:
    if isinstance(result, np.ndarray):
        return result[:0]
    return _like(result, [part[:0] for part in result])


def _join(parts: list[Any]) -> Any:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    return _like(parts[0], [np.concatenate(column) for column in zip(*parts, strict=True)])


def _like(result: Any, parts: list[NDArray[np.float32]]) -> Any:
    """Put parts into the same kind of tuple, named or not."""
    return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
