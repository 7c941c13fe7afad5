import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from hepatica.learn import Arrays, infer
from hepatica.learn.onnx_export import OPSET, export_onnx
from hepatica.learn.onnx_network import OnnxNetwork
from hepatica.networks import CnnSasm, Pooled, backbone, perceptron

NARROW = {"channels": [16, 32, 64, 128], "stem_width": 16}


def pixels(count: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def network(name: str = "pooled") -> nn.Module:
    torch.manual_seed(0)
    body: Any = backbone("resnet18.tv_in1k", shape=NARROW)
    made = Pooled(body, channels=128) if name == "pooled" else CnnSasm(body, channels=128, width=2, signature=16)
    made(torch.rand(8, 3, 64, 64))  # so that batch normalisation has something to fold
    return made


def answers(one: nn.Module, values: np.ndarray) -> Any:
    return infer(one, Arrays(values=values), batch=4, label="check")


@pytest.mark.parametrize("name", ["pooled", "attention"])
def test_the_file_answers_as_the_network_for_any_number_of_rows(name: str, tmp_path: Path) -> None:
    export_onnx(network(name), path=tmp_path / "a.onnx", example=pixels(1))
    there, here = answers(OnnxNetwork(tmp_path / "a.onnx"), pixels(9)), answers(network(name), pixels(9))
    assert here.logits.std() > 1e-3
    np.testing.assert_allclose(there.logits, here.logits, atol=1e-5)
    np.testing.assert_allclose(there.signature, here.signature, atol=1e-5)


def test_vectors_and_a_single_output(tmp_path: Path) -> None:
    torch.manual_seed(0)
    head, values = perceptron((5, 4, 2), dropout=0.5), np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    export_onnx(head, path=tmp_path / "a.onnx", example=values)
    np.testing.assert_allclose(answers(OnnxNetwork(tmp_path / "a.onnx"), values), answers(head, values), atol=1e-6)


def test_batch_normalisation_is_folded(tmp_path: Path) -> None:
    export_onnx(network(), path=tmp_path / "a.onnx", example=pixels(1))
    model = onnx.load(tmp_path / "a.onnx")
    assert {node.op_type for node in model.graph.node} == {
        "Add", "Conv", "Div", "Gemm", "MaxPool", "ReduceMean", "Relu", "Sub",
    }  # fmt: skip
    assert [(each.domain, each.version) for each in model.opset_import] == [("", OPSET)]
    onnx.checker.check_model(model, full_check=True)


def test_the_network_is_left_as_it_was(tmp_path: Path) -> None:
    one = network().train()
    before = {name: tensor.clone() for name, tensor in one.state_dict().items()}
    export_onnx(one, path=tmp_path / "a.onnx", example=pixels(1))
    assert all(module.training for module in one.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in one.state_dict().items())


def test_equal_weights_give_equal_bytes_in_another_process_and_memory_order(tmp_path: Path) -> None:
    reordered = network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    export_onnx(reordered, path=tmp_path / "a.onnx", example=pixels(1))
    script = (
        f"import runpy; from pathlib import Path; test = runpy.run_path({__file__!r});"
        f"test['export_onnx'](test['network'](), path=Path({str(tmp_path / 'b.onnx')!r}), example=test['pixels'](3))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONHASHSEED": "7"})
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a.onnx", "b.onnx")}
    assert len(digests) == 1


def test_the_file_tells_nothing_of_the_machine(tmp_path: Path) -> None:
    export_onnx(network(), path=tmp_path / "a.onnx", example=pixels(1))
    written = (tmp_path / "a.onnx").read_bytes()
    assert b"hepatica" not in written
    assert str(Path.cwd()).encode() not in written


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    export_onnx(network(), path=tmp_path / "a.onnx", example=pixels(1))
    assert capfd.readouterr() == ("", "")
