import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.radiology.phantom.experts import outlined


@given(hcc=st.lists(st.booleans(), min_size=1, max_size=40), share=st.floats(0.01, 1), seed=st.integers(0, 99))
def test_the_share_holds_with_and_without_hcc(hcc: list[bool], share: float, seed: int) -> None:
    each = np.array(hcc)
    read = outlined(each, share=share, seed=seed, hospital="A")
    for group in (each, ~each):
        assert read[group].sum() == np.ceil(share * group.sum())


@pytest.mark.parametrize(("share", "count"), [(0, 0), (0.4, 4), (1, 10)])
def test_how_many_are_read(share: float, count: int) -> None:
    assert outlined(np.arange(10) < 5, share=share, seed=0, hospital="A").sum() == count


def test_chance_chooses() -> None:
    hcc = np.arange(40) < 20
    first, other, again = (outlined(hcc, share=0.4, seed=seed, hospital="A") for seed in (0, 1, 0))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
