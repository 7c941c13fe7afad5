from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import mse_loss

from hepatica.cohort.errors import CohortError, RunError, UnavailableError
from hepatica.learn import Arrays, Fresh, OnDevice, Plan, Samples
from hepatica.learn.fit import fit
from hepatica.learn.samples import Dealt, GoneOn, Onward, Shuffled, loader, read_tensor, workers


def vectors(count: int) -> Arrays:
    return Arrays(values=np.arange(2 * count, dtype=np.float32).reshape(count, 2))


def test_a_batch_is_the_rows_asked_in_their_order() -> None:
    samples = Samples(inputs=vectors(4), labels=np.array([0, 1, 2, 1]))
    inputs, labels = samples.__getitems__([3, 0])
    assert inputs.tolist() == [[6.0, 7.0], [0.0, 1.0]]
    assert labels.tolist() == [1, 0]
    assert labels.dtype == torch.int64


def test_targets_are_read_in_single_precision() -> None:
    samples = Samples(inputs=vectors(2), labels=np.array([[0.5, -1.0], [2.0, 3.0]]))
    targets = samples.__getitems__([1])[1]
    assert targets.tolist() == [[2.0, 3.0]]
    assert targets.dtype == torch.float32


def test_the_digest_tells_other_labels_and_other_kinds_of_them() -> None:
    labels = [np.array([0, 1]), np.array([1, 0]), np.array([[0.0], [1.0]]), np.array([[0.0], [1.5]])]
    digests = [Samples(inputs=vectors(2), labels=each).digest for each in labels]
    assert len(set(digests)) == 4
    assert digests[0] == "9d34149fbd1f"  # of runs made before targets were learnt
    assert Samples(inputs=vectors(2), labels=labels[0].astype(np.int32)).digest == digests[0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 1]), "3 inputs need as many labels"),
        (np.array([[0.0], [np.nan], [1.0]]), "targets must be numbers; 1 of 3 are not"),
        (np.array([[0], [1], [0]]), "shape"),
        (np.array([0, -1, 1]), "whole numbers from 0"),
        (np.array([0.0, 1.0, 0.0]), "whole numbers from 0"),
    ],
)
def test_labels_that_do_not_pair_or_are_no_classes_are_refused(labels: np.ndarray, message: str) -> None:
    with pytest.raises(CohortError, match=message):
        Samples(inputs=vectors(3), labels=labels)


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(CohortError, match="no samples"):
        Samples(inputs=vectors(0), labels=np.array([], dtype=np.int64))


def test_read_only_and_reversed_memory_is_read_too() -> None:
    frozen = np.arange(4, dtype=np.float32).reshape(4, 1)
    frozen.setflags(write=False)

    class Reversed:
        def __len__(self) -> int:
            return len(frozen)

        def read(self, indices: np.ndarray) -> np.ndarray:
            return frozen[::-1]

    assert read_tensor(Reversed(), np.arange(4)).tolist() == [[3], [2], [1], [0]]


@settings(deadline=None, max_examples=20)
@given(count=st.integers(1, 9), batch=st.integers(1, 10), data=st.data())
def test_inputs_on_a_device_are_those_they_copy(count: int, batch: int, data: st.DataObject) -> None:
    pixels = Arrays(values=np.random.default_rng(count).integers(0, 256, (count, 2, 3, 3), dtype=np.uint8))
    for inputs in (pixels, vectors(count)):
        there = OnDevice.copy(inputs, device="cpu", batch=batch)
        rows = np.array(data.draw(st.lists(st.integers(0, count - 1), max_size=5)), dtype=np.int64)
        assert len(there) == count
        assert there.values.dtype == torch.from_numpy(inputs.values).dtype
        np.testing.assert_array_equal(there.read(rows), inputs.read(rows), strict=True)
        assert torch.equal(read_tensor(there, rows), read_tensor(inputs, rows))


def test_a_batch_stays_on_the_device_of_its_inputs() -> None:
    there = OnDevice(values=torch.empty(3, 2, 2, 3, dtype=torch.uint8, device="meta"))
    inputs, labels = Samples(inputs=there, labels=np.array([0, 1, 0])).__getitems__([2, 0])
    assert (inputs.device.type, tuple(inputs.shape)) == ("meta", (2, 2, 2, 3))
    assert labels.tolist() == [0, 0]


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_device_that_is_not_there_is_said_so() -> None:
    with pytest.raises(UnavailableError, match=r"3 inputs cannot lie on cuda: .*Learn from where they are"):
        OnDevice.copy(vectors(3))


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


PLAN = Plan(epochs=3, batch=4, learning_rate=1e-2)


class Made:
    """Vectors of two numbers drawn by their number alone, their sum as target; notes what was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append(numbers.tolist())
        values = np.stack([np.random.default_rng(number).normal(size=2) for number in numbers]).astype(np.float32)
        return values, values.sum(axis=1, keepdims=True)


def fitted(folder: Path, made: Made, *, plan: Plan = PLAN, name: str = "sums") -> nn.Module:
    torch.manual_seed(0)
    network = nn.Linear(2, 1)
    samples = Fresh(make=made, count=10, name=name)
    fit(network, samples, plan, folder=folder, label="sums", loss=mse_loss, trainer={"accelerator": "cpu"})
    return network


def test_no_sample_is_seen_twice_and_all_are_seen_in_order(tmp_path: Path) -> None:
    made = Made()
    fitted(tmp_path, made)
    assert [number for batch in made.asked for number in batch] == list(range(30))
    assert [len(batch) for batch in made.asked] == [4, 4, 2] * 3


def test_a_training_taken_up_again_goes_on_with_the_samples_that_are_due(tmp_path: Path) -> None:
    def stops(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if numbers[0] >= 14:
            raise KeyboardInterrupt
        return Made()(numbers)

    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path / "stopped", stops)
    made = Made()
    again = fitted(tmp_path / "stopped", made)
    assert made.asked[0] == [10, 11, 12, 13]
    whole = fitted(tmp_path / "whole", Made())
    assert torch.equal(again.weight, whole.weight)


def test_samples_of_another_name_are_another_training(tmp_path: Path) -> None:
    fitted(tmp_path, Made())
    with pytest.raises(RunError, match="labels"):
        fitted(tmp_path, Made(), name="other sums")


def test_a_sample_alone_is_that_of_a_batch() -> None:
    samples = Fresh(make=Made(), count=5, name="sums")
    inputs, targets = samples.__getitems__([7, 3])
    assert torch.equal(samples[3][0][0], inputs[1])
    assert targets.dtype == torch.float32
    assert len(samples) == 5


def test_numbers_go_on_from_epoch_to_epoch() -> None:
    order = Onward(3)
    assert list(order) == [0, 1, 2]
    order.set_epoch(2)
    assert list(order) == [6, 7, 8]
    assert len(order) == 3


@pytest.mark.parametrize(("count", "world"), [(12, 1), (12, 3), (10, 4), (2, 3), (1, 4), (3, 8)])
def test_a_step_has_the_same_samples_on_any_number_of_devices(count: int, world: int) -> None:
    order = Shuffled(count, seed=3)
    dealt = [Dealt(order, rank=rank, world=world, length=count) for rank in range(world)]
    for epoch in (0, 5):
        for each in dealt:
            each.set_epoch(epoch)
        whole, parts = list(order), [list(each) for each in dealt]
        assert [len(each) for each in dealt] == [len(each) for each in parts] == [-(-count // world)] * world
        together = [number for step in zip(*parts, strict=True) for number in step]
        assert together == [*whole * world][: len(together)]


def test_an_order_is_gone_on_with_in_its_epoch_and_whole_in_the_next() -> None:
    wanted = [list(Shuffled(9, seed=4, epoch=epoch)) for epoch in (3, 4)]
    order = GoneOn(Shuffled(9, seed=4, epoch=3), epoch=3, done=4)
    order.set_epoch(3)
    assert [list(order), list(order)] == [wanted[0][4:]] * 2  # a loader may begin twice
    assert len(order) == 9
    order.set_epoch(4)
    assert list(order) == wanted[1]
