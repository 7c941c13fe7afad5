from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hepatica.learn import Arrays, Inputs, OnDevice, infer


class Seen(NamedTuple):
    logits: Tensor
    signature: Tensor


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Dropout(0.5))
        self.head = nn.Linear(5, 2)

    def forward(self, images: Tensor) -> Seen:
        signature = self.body(images).amax(dim=(2, 3))
        return Seen(self.head(signature), signature)


def network() -> Network:
    torch.manual_seed(0)
    return Network()


def pixels(count: int) -> Arrays:
    return Arrays(values=np.random.default_rng(count).integers(0, 256, (count, 6, 6, 3), dtype=np.uint8))


def run(inputs: Inputs, **settings_: Any) -> Any:
    return infer(network(), inputs, **{"batch": 4, "label": "check"} | settings_)


@settings(deadline=None, max_examples=15)
@given(count=st.integers(1, 9), batch=st.integers(1, 10))
def test_a_batch_is_a_loop_over_its_inputs(count: int, batch: int) -> None:
    inputs = pixels(count)
    together = run(inputs, batch=batch)
    singly = [run(Arrays(values=inputs.values[[row]])) for row in range(count)]
    for name in ("logits", "signature"):
        loop = np.concatenate([getattr(one, name) for one in singly])
        np.testing.assert_allclose(getattr(together, name), loop, atol=1e-5)


def test_the_order_of_inputs_is_the_order_of_rows() -> None:
    inputs, order = pixels(9), np.random.default_rng(1).permutation(9)
    shuffled = run(Arrays(values=inputs.values[order]))
    np.testing.assert_allclose(shuffled.logits, run(inputs).logits[order], atol=1e-5)


@pytest.mark.parametrize("count", [0, 9])
def test_inputs_on_a_device_are_read_the_same(count: int) -> None:
    here, there = run(pixels(count)), run(OnDevice.copy(pixels(count), device="cpu"))
    np.testing.assert_array_equal(there.logits, here.logits, strict=True)


def test_outputs_keep_their_names_and_are_single_precision() -> None:
    seen = run(pixels(5))
    assert isinstance(seen, Seen)
    assert (seen.logits.shape, seen.signature.shape) == ((5, 2), (5, 5))
    assert seen.logits.dtype == seen.signature.dtype == np.float32


def test_a_function_chooses_and_changes_outputs() -> None:
    risk = run(pixels(5), outputs=lambda seen: seen.logits.softmax(dim=1)[:, 1])
    logits = run(pixels(5)).logits
    np.testing.assert_allclose(risk, 1 / (1 + np.exp(logits[:, 0] - logits[:, 1])), rtol=1e-5)
    pair = run(pixels(5), outputs=lambda seen: (seen.signature, seen.logits))
    assert type(pair) is tuple
    assert pair[0].shape == (5, 5)


def test_no_inputs_give_no_rows_of_the_right_width() -> None:
    seen = run(pixels(0))
    assert (seen.logits.shape, seen.signature.shape) == ((0, 2), (0, 5))
    assert infer(nn.Linear(3, 2), Arrays(values=np.zeros((0, 3), np.float32)), batch=1, label="x").shape == (0, 2)


def test_each_layer_gets_its_mode_back_and_nothing_is_learnt() -> None:
    one = network().train()
    one.body[1].eval()
    before = {name: tensor.clone() for name, tensor in one.state_dict().items()}
    infer(one, pixels(5), batch=2, label="check")
    assert one.training
    assert one.body[3].training
    assert not one.body[1].training
    assert all(torch.equal(before[name], tensor) for name, tensor in one.state_dict().items())


def test_modes_come_back_after_an_error() -> None:
    one = network().train()
    with pytest.raises(RuntimeError):
        infer(one, Arrays(values=np.zeros((2, 7), np.float32)), batch=2, label="check")
    assert one.training


def test_torchs_generator_is_left_alone() -> None:
    one = network()
    before = torch.get_rng_state()
    infer(one, pixels(5), batch=2, label="check")
    assert torch.equal(before, torch.get_rng_state())


def test_no_bar_is_drawn_where_there_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    run(pixels(5))
    assert capfd.readouterr() == ("", "")
