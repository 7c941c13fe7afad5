import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hepatica.cohort.errors import SettingsError
from hepatica.saliency import lovi


def one_place(*layers: float) -> np.ndarray:
    """A place that the layers saw so; another that only the first saw fully, another that none saw."""
    maps = np.zeros((1, len(layers), 1, 3), dtype=np.float32)
    maps[0, :, 0, 0] = layers
    maps[0, 0, 0, 1] = 1
    return maps


@pytest.mark.parametrize(
    ("layers", "colour"),
    [
        ((1, 0, 0), (255, 0, 255)),  # hue 300, the first layer: violet
        ((0, 1, 0), (0, 255, 128)),  # hue 150, the middle one
        ((0, 0, 1), (255, 0, 0)),  # hue 0, the last: red
        ((0, 0, 0.5), (128, 0, 0)),
        ((1, 1, 1), (255, 255, 255)),  # all alike: no colour
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_colours_by_hand(layers: tuple[float, ...], colour: tuple[int, int, int]) -> None:
    found = lovi(one_place(*layers))[0, 0]
    assert np.abs(found[0].astype(int) - colour).max() <= 1
    assert tuple(found[1]) == (255, 0, 255)
    assert tuple(found[2]) == (0, 0, 0)


def test_saturation_of_two_layers_out_of_three_by_hand() -> None:
    # S = 1 - (2/3 - 1/3) / (2/3) = 1/2, H = 300 * (1 + 1/2) / 2 = 225 degrees: RGB (1/2, 5/8, 1).
    found = lovi(one_place(1, 1, 0))[0, 0, 0].astype(float)
    np.testing.assert_allclose(found, 255 * np.array([0.5, 0.625, 1]), atol=1)


def test_weights_darken_layers() -> None:
    assert tuple(lovi(one_place(0, 0, 1), weights=[2, 1, 1])[0, 0, 0]) == (128, 0, 0)


def test_one_layer_alone_is_red() -> None:
    assert tuple(lovi(one_place(1))[0, 0, 0]) == (255, 0, 0)


@settings(deadline=None, max_examples=25)
@given(maps=arrays(np.float32, (3, 4, 2, 2), elements=st.floats(0, 1, width=32)))
def test_a_batch_is_its_images_one_by_one(maps: np.ndarray) -> None:
    together = lovi(maps)
    assert together.shape == (3, 2, 2, 3)
    assert together.dtype == np.uint8
    np.testing.assert_array_equal(together, [lovi(each[None])[0] for each in maps])


@pytest.mark.parametrize("weights", [[1.0], [1, -1, 1], [0, 0, 0]])
def test_impossible_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(SettingsError, match="weights"):
        lovi(one_place(1, 0, 0), weights=weights)
