import numpy as np
import pytest
import torch

from hepatica.cohort.errors import CohortError
from hepatica.learn import Arrays, Samples
from hepatica.learn.samples import read_tensor


def vectors(count: int) -> Arrays:
    return Arrays(values=np.arange(2 * count, dtype=np.float32).reshape(count, 2))


def test_a_batch_is_the_rows_asked_in_their_order() -> None:
    samples = Samples(inputs=vectors(4), labels=np.array([0, 1, 2, 1]))
    inputs, labels = samples.__getitems__([3, 0])
    assert inputs.tolist() == [[6.0, 7.0], [0.0, 1.0]]
    assert labels.tolist() == [1, 0]
    assert labels.dtype == torch.int64


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 1]), "3 inputs need as many labels"),
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
