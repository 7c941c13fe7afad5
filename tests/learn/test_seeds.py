from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.learn.seeds import seed_from

numbers = st.integers(0, 2**20)


@settings(deadline=None, max_examples=50)
@given(numbers, numbers, st.integers(0, 64))
def test_the_same_three_numbers_give_the_same_seed_and_others_another(seed: int, epoch: int, rank: int) -> None:
    one = seed_from(seed, epoch=epoch, rank=rank)
    assert one == seed_from(seed, epoch=epoch, rank=rank)
    assert 0 <= one < 2**64
    others = {seed_from(seed + 1, epoch=epoch, rank=rank), seed_from(seed, epoch=epoch + 1, rank=rank)}
    assert one not in others | {seed_from(seed, epoch=epoch, rank=rank + 1)}
    # Not the sum of the two, which would give neighbouring seeds the same epochs, one later.
    assert seed_from(seed + 1, epoch=epoch) != seed_from(seed, epoch=epoch + 1)
