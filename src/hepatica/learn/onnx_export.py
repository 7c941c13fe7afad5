"""ONNX export: a trained network as one ONNX file, which runs without PyTorch."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from hepatica.cohort.atomic import replacing
from hepatica.learn.images import as_network_input
from hepatica.learn.samples import Pixels, Vectors

OPSET = 20
"""Version of ONNX's operators: the one torch 2.15 writes unless told otherwise (ours)."""


def export_onnx(network: nn.Module, *, path: Path, example: Pixels | Vectors) -> None:
    """Write a network atomically, as it answers in evaluation; equal weights give equal bytes.

    `example` is images (n, h, w, c) uint8 or vectors (n, d), n of 1 or more; its first row gives the size. The file
    takes what the network's forward takes, images (b, c, h, w) float32 on [0, 1] or vectors (b, d), for any b. The
    network returns one tensor, called `output` in the file, or a named tuple of tensors, whose names are kept.
    Batch normalisation is folded into the convolution before it.
    """
    still = deepcopy(network).cpu().eval()
    # With a single row, torch would take one row for the only batch there can be.
    rows = as_network_input(torch.from_numpy(example[[0, 0]]))
    program: Any = torch.onnx.export(
        still,
        (rows,),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        input_names=["input"],
        output_names=_names(still, rows),
        opset_version=OPSET,
        verbose=False,
    )
    model = program.model_proto
    _forget_source(model)
    with replacing(path) as temporary:
        onnx.save(model, temporary)


@torch.inference_mode()
def _names(network: nn.Module, rows: Tensor) -> list[str]:
    return list(getattr(network(rows), "_fields", ["output"]))


def _forget_source(model: onnx.ModelProto) -> None:
    """Remove torch's notes on each node: they tell where on the machine the source code lies."""
    graph = model.graph
    for each in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        each.ClearField("metadata_props")
        each.ClearField("doc_string")
