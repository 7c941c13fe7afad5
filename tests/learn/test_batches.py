import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.learn import Arrays, OnDevice, Samples
from hepatica.learn.batches import Shuffled, loader, workers


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
