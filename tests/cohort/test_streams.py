import numpy as np

from hepatica.cohort.streams import generator


def test_a_stream_depends_on_its_key_only() -> None:
    first = generator(1, "A", "image", 3, 0).standard_normal(4)
    generator(1, "A", "image", 2, 0).standard_normal(9)
    assert np.array_equal(first, generator(1, "A", "image", 3, 0).standard_normal(4))


def test_every_part_of_the_key_matters() -> None:
    keys = [(1, "A", "image", 3, 0), (2, "A", "image", 3, 0), (1, "B", "image", 3, 0), (1, "A", "image", 0, 3)]
    assert len({generator(*key).integers(2**62) for key in keys}) == len(keys)
