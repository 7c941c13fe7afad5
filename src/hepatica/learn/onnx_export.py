"""ONNX export: a trained network as one ONNX file, in float32 or whole numbers, and its use in place of PyTorch's."""

from collections import namedtuple
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as faults
from onnxruntime.quantization import QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import RunError, SettingsError
from hepatica.learn.images import as_images, as_network_input
from hepatica.learn.samples import Arrays, Pixels, Vectors, read_tensor

OPSET = 20
"""Version of ONNX's operators: the one torch 2.15 writes by default (ours)."""


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


BATCH = 16
"""Images looked at together while ranges are measured; no effect on them (ours)."""

KINDS = ["Add", "AveragePool", "Clip", "Concat", "Conv", "MaxPool", "Relu"]
"""Operators of convolutional bodies that work on whole numbers (ours)."""


def quantise(path: Path, *, to: Path, calibration: Pixels) -> None:
    """Write atomically, in whole numbers, what `export_onnx` wrote; equal inputs give equal bytes.

    `calibration` are images (n, h, w, c) uint8 such as the network was trained on. Each activation has 256 steps
    between the least and the greatest value that they give; each output channel of a convolution has 255 of its own
    for its weights. What follows the last convolution (pooling, attention, linear layers) stays in float32.

    Processors without VNNI (Intel's before 2019, AMD's before 2022) may silently cut off sums of such products, and
    then answer otherwise than others: compare answers where the file is used. Seven bits would be safe and, on a
    ResNet34 trained on phantom CT, had twice the error; unsigned weights would be safe and were as slow as float32.

    Raises SettingsError for a network without convolutions, and where there are no images.
    """
    with TemporaryDirectory() as folder, replacing(to) as temporary:
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(path, ready)
        quantize_static(
            ready,
            temporary,
            _Batches(calibration),
            op_types_to_quantize=KINDS,
            nodes_to_quantize=_to_last_convolution(ready),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )


class _Batches:
    """Calibration images as ONNX Runtime asks for them; it uses no method of its CalibrationDataReader but get_next."""

    def __init__(self, images: Pixels) -> None:
        if not len(images):
            raise SettingsError("got no images to measure the ranges of activations on; give some of training patients")
        self.inputs = Arrays(values=images)
        self.batches = iter(np.split(np.arange(len(images)), range(BATCH, len(images), BATCH)))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        rows = next(self.batches, None)
        return None if rows is None else {"input": as_images(read_tensor(self.inputs, rows)).contiguous().numpy()}


def _to_last_convolution(path: Path) -> list[str]:
    nodes = onnx.load(path).graph.node
    places = [place for place, node in enumerate(nodes) if node.op_type == "Conv"]
    if not places:
        raise SettingsError("got a network without convolutions, wanted one with them; export it in float32")
    return [node.name for node in nodes[: places[-1] + 1]]


UNREADABLE = (
    faults.Fail,
    faults.InvalidArgument,
    faults.InvalidGraph,
    faults.InvalidProtobuf,
    faults.NoSuchFile,
    faults.NotImplemented,
)
"""What ONNX Runtime raises for a file it cannot run."""


class OnnxNetwork(nn.Module):
    """A file of `export_onnx` or `quantise`, to be read by `hepatica.learn.infer`; it has nothing that could be learnt.

    Computes on the CPU, with as many threads as torch has when it is opened. Outputs with names are a named tuple.

    Raises RunError where the file is absent, damaged or of a newer ONNX.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Threads that spin while they wait take the cores from those that read the next images.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except UNREADABLE as error:
            raise RunError(f"{path} cannot be used ({error}); export the run again") from error
        names = [output.name for output in self.session.get_outputs()]
        self.answer: Any = None if names == ["output"] else namedtuple("Answer", names)

    def forward(self, inputs: Tensor) -> Any:
        """Answer for images (b, c, h, w) on [0, 1], or vectors (b, d), float32."""
        arrays = self.session.run(None, {"input": inputs.cpu().contiguous().numpy()})
        tensors = [torch.from_numpy(array) for array in arrays]
        return self.answer(*tensors) if self.answer else tensors[0]
