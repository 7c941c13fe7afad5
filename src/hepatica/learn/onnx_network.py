"""ONNX network: an exported network in the place of the one in PyTorch, faster than that on a CPU."""

from collections import namedtuple
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as faults
from torch import Tensor, nn

from hepatica.cohort.errors import RunError

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
