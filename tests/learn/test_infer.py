from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hepatica.learn import Arrays, Inputs, OnDevice, Samples, infer
from hepatica.learn.infer import Shuffled, loader, workers


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


class Store:
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def read(self, indices: np.ndarray) -> np.ndarray:
        return np.zeros((len(indices), 1), dtype=np.float32)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 50), st.integers(0, 99), st.integers(0, 99))
def test_an_epoch_is_every_sample_once_in_an_order_of_seed_and_epoch_alone(count: int, seed: int, epoch: int) -> None:
    order = Shuffled(count, seed=seed)
    list(order)
    order.set_epoch(epoch)
    assert sorted(order) == list(range(count)) == list(range(len(order)))
    assert list(order) == list(Shuffled(count, seed=seed, epoch=epoch))


def test_epochs_and_seeds_differ() -> None:
    orders = {tuple(Shuffled(20, seed=seed, epoch=epoch)) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


@pytest.mark.parametrize(("cores", "expected"), [(1, 0), (2, 0), (4, 3), (64, 8)])
def test_workers_read_ahead_where_there_are_cores_for_them(
    monkeypatch: pytest.MonkeyPatch, cores: int, expected: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert workers(Store(1000)) == expected
    assert workers(Store(10)) == 0
    assert workers(Arrays(values=np.zeros((1000, 2), dtype=np.float32))) == 0
    assert workers(OnDevice(values=torch.zeros(1000, 2))) == 0


def test_what_lies_on_a_gpu_is_not_pinned_as_the_rest_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    values = np.zeros((5, 2), dtype=np.float32)
    there, here = OnDevice(values=torch.from_numpy(values)), Arrays(values=values)
    pinned = [loader(Samples(inputs=each, labels=np.zeros(5, int)), each, batch=2).pin_memory for each in (there, here)]
    assert pinned == [False, True]


def test_a_loader_takes_nothing_from_torchs_generator() -> None:

    samples = Samples(inputs=Arrays(values=np.zeros((5, 2), dtype=np.float32)), labels=np.zeros(5, dtype=np.int64))
    before = torch.get_rng_state()
    assert [len(labels) for _, labels in loader(samples, samples.inputs, batch=2)] == [2, 2, 1]
    assert torch.equal(before, torch.get_rng_state())
