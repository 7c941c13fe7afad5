from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from hepatica.cohort.errors import RunError
from hepatica.learn import Arrays, infer
from hepatica.learn.onnx_network import OnnxNetwork


def written(path: Path, *, outputs: tuple[str, ...]) -> Path:
    """Write a file that doubles images of 4 x 4, and tells their negative where there is a second output."""
    nodes = [
        helper.make_node(kind, ["input"] * count, [name])
        for kind, count, name in zip(("Add", "Neg"), (2, 1), outputs, strict=False)
    ]
    shape = ("batch", 3, 4, 4)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs]
    graph = helper.make_graph(nodes, "graph", [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)], ends)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_one_output_is_an_array(count: int, images: np.ndarray, tmp_path: Path) -> None:
    network = OnnxNetwork(written(tmp_path / "a.onnx", outputs=("output",)))
    doubled = infer(network, Arrays(values=images[:count]), batch=2, label="check")
    wanted = np.moveaxis(images[:count], 3, 1).astype(np.float32) / 255 * 2
    np.testing.assert_array_equal(doubled, wanted, strict=True)


def test_several_outputs_keep_their_names(images: np.ndarray, tmp_path: Path) -> None:
    network = OnnxNetwork(written(tmp_path / "a.onnx", outputs=("logits", "signature")))
    both = infer(network, Arrays(values=images), batch=2, label="check")
    assert both._fields == ("logits", "signature")
    np.testing.assert_array_equal(both.logits, -2 * both.signature)
    chosen = infer(network, Arrays(values=images), batch=2, label="check", outputs=lambda read: read.signature)
    np.testing.assert_array_equal(chosen, both.signature)


def test_threads_are_torchs(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        network = OnnxNetwork(written(tmp_path / "a.onnx", outputs=("output",)))
    finally:
        torch.set_num_threads(before)
    assert network.session.get_session_options().intra_op_num_threads == before + 1
    assert network.session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize("content", [b"", b"no protobuf at all", None])
def test_a_damaged_or_absent_file_is_said_so(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(RunError, match="export the run again"):
        OnnxNetwork(tmp_path / "a.onnx")


def test_it_lies_within_other_networks(tmp_path: Path) -> None:
    whole = nn.ModuleDict({"part": OnnxNetwork(written(tmp_path / "a.onnx", outputs=("output",)))})
    assert list(whole.parameters()) == []
    whole.eval().cpu()
    assert whole["part"](torch.ones(1, 3, 4, 4)).sum() == 96
