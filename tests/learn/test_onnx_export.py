import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.functional import cross_entropy

from hepatica.cohort.errors import RunError, SettingsError
from hepatica.learn import Arrays, as_images, infer
from hepatica.learn.onnx_export import OPSET, OnnxNetwork, export_onnx, quantise
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


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The file of each network, written once."""
    folder = tmp_path_factory.mktemp("exports")
    paths = {name: folder / f"{name}.onnx" for name in ("pooled", "attention")}
    for name, path in paths.items():
        export_onnx(network(name), path=path, example=pixels(1))
    return paths


@pytest.mark.parametrize("name", ["pooled", "attention"])
def test_the_file_answers_as_the_network_for_any_number_of_rows(name: str, exports: dict[str, Path]) -> None:
    there, here = answers(OnnxNetwork(exports[name]), pixels(9)), answers(network(name), pixels(9))
    assert here.logits.std() > 1e-3
    np.testing.assert_allclose(there.logits, here.logits, atol=1e-5)
    np.testing.assert_allclose(there.signature, here.signature, atol=1e-5)


def test_vectors_and_a_single_output(tmp_path: Path) -> None:
    torch.manual_seed(0)
    head, values = perceptron((5, 4, 2), dropout=0.5), np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    export_onnx(head, path=tmp_path / "a.onnx", example=values)
    np.testing.assert_allclose(answers(OnnxNetwork(tmp_path / "a.onnx"), values), answers(head, values), atol=1e-6)


def test_batch_normalisation_is_folded(exports: dict[str, Path]) -> None:
    model = onnx.load(exports["pooled"])
    assert {node.op_type for node in model.graph.node} == {
        "Add", "Conv", "Div", "Gemm", "MaxPool", "ReduceMean", "Relu", "Sub",
    }  # fmt: skip
    assert [(each.domain, each.version) for each in model.opset_import] == [("", OPSET)]
    onnx.checker.check_model(model, full_check=True)


def test_the_network_is_left_as_it_was_and_nothing_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one = network().train()
    before = {name: tensor.clone() for name, tensor in one.state_dict().items()}
    export_onnx(one, path=tmp_path / "a.onnx", example=pixels(1))
    assert all(module.training for module in one.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in one.state_dict().items())
    assert capfd.readouterr() == ("", "")


def test_equal_weights_give_equal_bytes_in_another_process_and_memory_order(
    exports: dict[str, Path], tmp_path: Path
) -> None:
    reordered = network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    export_onnx(reordered, path=tmp_path / "a.onnx", example=pixels(1))
    script = (
        f"import runpy; from pathlib import Path; test = runpy.run_path({__file__!r});"
        f"test['export_onnx'](test['network'](), path=Path({str(tmp_path / 'b.onnx')!r}), example=test['pixels'](3))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    files = (exports["pooled"], tmp_path / "a.onnx", tmp_path / "b.onnx")
    assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in files}) == 1


def test_the_file_tells_nothing_of_the_machine(exports: dict[str, Path]) -> None:
    content = exports["pooled"].read_bytes()
    assert b"hepatica" not in content
    assert str(Path.cwd()).encode() not in content


def discs(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise, half of it with a bright disc somewhere, and which half."""
    rng, y, x = np.random.default_rng(seed), *np.ogrid[:64, :64]
    label = np.arange(count) % 2
    grey = rng.normal(110, 25, (count, 64, 64))
    for number, (centre_y, centre_x) in zip(np.flatnonzero(label), rng.integers(16, 48, (count, 2)), strict=False):
        grey[number] += 25 * ((y - centre_y) ** 2 + (x - centre_x) ** 2 < 100)
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=3), label


@pytest.fixture(scope="module")
def learnt() -> nn.Module:
    """Trained, for the errors of a random network say nothing: its logits are all alike."""
    torch.manual_seed(0)
    body: Any = backbone("resnet18.tv_in1k", shape={"channels": [16, 16, 32, 32], "stem_width": 16})
    made = Pooled(body, channels=32)
    adam = torch.optim.Adam(made.parameters(), lr=3e-3)
    pixels, label = discs(256, seed=1)
    images, wanted = as_images(torch.from_numpy(pixels)), torch.from_numpy(label)
    for step in range(48):
        rows = slice(step % 8 * 32, step % 8 * 32 + 32)
        loss = cross_entropy(made(images[rows]).logits, wanted[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return made.eval()


@pytest.fixture(scope="module")
def exported(learnt: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "network.onnx"
    export_onnx(learnt, path=path, example=discs(2, seed=1)[0])
    return path


def logits(network: nn.Module, pixels: np.ndarray) -> np.ndarray:
    found: np.ndarray = infer(network, Arrays(values=pixels), batch=32, label="check").logits
    return found


def test_a_trained_network_keeps_its_calls(learnt: nn.Module, exported: Path, tmp_path: Path) -> None:
    quantise(exported, to=tmp_path / "int8.onnx", calibration=discs(64, seed=1)[0])
    pixels, label = discs(200, seed=2)
    exact, whole = logits(learnt, pixels), logits(OnnxNetwork(tmp_path / "int8.onnx"), pixels)
    assert (exact.argmax(1) == label).mean() > 0.9
    assert (exact.argmax(1) != whole.argmax(1)).mean() <= 0.02
    assert 0 < np.abs(whole - exact).max() < 0.2 * exact.std()


def test_convolutions_are_in_8_bits_and_the_end_in_float32(exported: Path, tmp_path: Path) -> None:
    quantise(exported, to=tmp_path / "int8.onnx", calibration=discs(8, seed=1)[0])
    graph = onnx.load(tmp_path / "int8.onnx").graph
    maker = {name: node for node in graph.node for name in node.output}
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for node in graph.node:
        sources = [maker[name].op_type if name in maker else "" for name in node.input]
        if node.op_type == "Conv":
            assert sources == ["DequantizeLinear"] * 3
            weight, scale = (values[name] for name in maker[node.input[1]].input[:2])
            assert weight.dtype == np.int8
            assert scale.shape == weight.shape[:1]
        if node.op_type in ("ReduceMean", "Gemm"):
            assert "DequantizeLinear" not in sources


def test_equal_inputs_give_equal_bytes(exported: Path, tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        quantise(exported, to=tmp_path / name, calibration=discs(24, seed=1)[0])
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "b.onnx"]


def test_ranges_are_those_of_the_images_given(exported: Path, tmp_path: Path) -> None:
    pixels = discs(20, seed=1)[0]
    quantise(exported, to=tmp_path / "a.onnx", calibration=pixels)
    quantise(exported, to=tmp_path / "b.onnx", calibration=pixels[::-1])
    quantise(exported, to=tmp_path / "c.onnx", calibration=pixels // 2)
    a, b, c = ((tmp_path / f"{name}.onnx").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_int8_prints_and_warns_nothing(exported: Path, tmp_path: Path, capfd: Any, caplog: Any) -> None:
    quantise(exported, to=tmp_path / "int8.onnx", calibration=discs(2, seed=1)[0])
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_no_images_and_no_convolutions_are_refused(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no images"):
        quantise(exported, to=tmp_path / "int8.onnx", calibration=discs(0, seed=1)[0])
    export_onnx(perceptron((5, 4, 2), dropout=0), path=tmp_path / "head.onnx", example=np.zeros((1, 5), np.float32))
    with pytest.raises(SettingsError, match="without convolutions"):
        quantise(tmp_path / "head.onnx", to=tmp_path / "int8.onnx", calibration=discs(2, seed=1)[0])
    assert [path.name for path in tmp_path.iterdir()] == ["head.onnx"]


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
