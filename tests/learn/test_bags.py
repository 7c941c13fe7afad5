"""Bags: each bag has its own rows, drawn anew in each epoch by the seed alone, and padding is told from rows."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hepatica.learn import Arrays, Bags, Plan, Samples, flips, in_bags
from hepatica.learn.fit import fit
from hepatica.learn.images import as_network_input
from hepatica.networks import BagNetwork, Instances


def bags(*members: list[int], values: np.ndarray | None = None, **settings) -> Bags:
    count = 1 + max(row for own in members for row in own)
    values = np.arange(count, dtype=np.float32)[:, None] if values is None else values
    return Bags(inputs=Arrays(values=values), members=tuple(np.array(own) for own in members), **settings)


def test_bags_are_padded_to_the_largest_that_is_read() -> None:
    read = bags([0, 2], [1], [3, 4, 5]).read(np.array([1, 0]))
    assert read["rows"][..., 0].tolist() == [[1, 0], [0, 2]]
    assert read["mask"].tolist() == [[1, 0], [1, 1]]
    none = bags([0, 2]).read(np.zeros(0, np.int64))
    assert none["rows"].shape == (0, 1, 1)


def test_each_part_of_inputs_is_in_the_bag() -> None:
    class Parts:
        def __len__(self) -> int:
            return 3

        def read(self, indices: np.ndarray) -> dict[str, np.ndarray]:
            return {"a": indices[:, None].astype(np.float32), "b": 10 * indices[:, None, None]}

    read = Bags(inputs=Parts(), members=(np.array([2, 1]), np.array([0]))).read(np.array([0, 1]))
    assert read.keys() == {"a", "b", "mask"}
    assert read["b"][..., 0, 0].tolist() == [[20, 10], [0, 0]]


@examples(deadline=None, max_examples=25)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), most=st.integers(1, 10), epoch=st.integers(0, 3))
def test_rows_drawn_are_of_the_bag_without_repeats_and_the_same_again(sizes: list[int], most: int, epoch: int) -> None:
    members = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    some = bags(*(own.tolist() for own in members), most=most, seed=5)
    for number, own in enumerate(members):
        rows = some.rows(number + epoch * len(members))
        assert len(rows) == min(most, len(own)) == len(set(rows) & set(own))
        assert rows.tolist() == sorted(rows)
        assert rows.tolist() == some.rows(number + epoch * len(members)).tolist()


def test_each_epoch_has_a_draw_of_its_own_whatever_other_bags_there_are() -> None:
    alone, some = (bags(*each, most=5, seed=1) for each in ([list(range(50))], [[50, 51], list(range(50))]))
    drawn = [tuple(alone.rows(number)) for number in range(100)]
    assert len(set(drawn)) == 100
    assert {row for rows in drawn for row in rows} == set(range(50))
    assert tuple(some.rows(2 * 7 + 1)) == drawn[7]


def test_images_in_bags_are_turned_one_by_one() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 4, 4, 3), dtype=np.uint8)
    read = bags(list(range(40)), list(range(40, 64)), values=pixels).read(np.arange(2))
    bag = as_network_input({name: torch.from_numpy(each) for name, each in read.items()})
    assert bag["rows"].shape == (2, 40, 3, 4, 4)
    torch.testing.assert_close(bag["rows"][1, 2], torch.from_numpy(pixels[42] / 255).permute(2, 0, 1).float())
    torch.manual_seed(0)
    turned = in_bags(flips())(bag)
    ways = [[], [-1], [-2], [-2, -1]]
    found = [
        next(n for n, way in enumerate(ways) if torch.equal(image.flip(way), own))
        for image, own in zip(bag["rows"][0], turned["rows"][0], strict=True)
    ]
    assert set(found) == {0, 1, 2, 3}
    assert torch.equal(turned["mask"], bag["mask"])


def problem() -> tuple[Bags, np.ndarray]:
    """Sixty bags of 3 to 8 rows; in half of them one row has a high first value."""
    rng = np.random.default_rng(0)
    sizes, label = rng.integers(3, 9, 60), np.arange(60) % 2
    members = tuple(np.split(np.arange(sizes.sum()), np.cumsum(sizes)[:-1]))
    values = rng.normal(size=(sizes.sum(), 3)).astype(np.float32)
    for own, positive in zip(members, label, strict=True):
        values[own[0], 0] += 6 * positive
    return Bags(inputs=Arrays(values=values), members=members, most=6, seed=3), label


PLAN = Plan(epochs=12, batch=12, learning_rate=0.1)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> BagNetwork:
    return train(PLAN, tmp_path_factory.mktemp("fit"))


def train(plan: Plan, folder: Path) -> BagNetwork:
    torch.manual_seed(0)
    network = BagNetwork(Instances(3))
    inputs, label = problem()
    fit(
        network, Samples(inputs=inputs, labels=label), plan, folder=folder, label="bags", trainer={"accelerator": "cpu"}
    )
    return network


def test_a_training_on_bags_learns_and_comes_out_the_same(fitted: BagNetwork, tmp_path: Path) -> None:
    inputs, label = problem()
    batch = as_network_input({name: torch.from_numpy(each) for name, each in inputs.read(np.arange(60)).items()})
    assert (fitted(batch).logits.argmax(1).numpy() == label).mean() > 0.75
    again = train(PLAN, tmp_path)
    for one, two in zip(fitted.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)
