"""Scale: bars of round lengths, as long as they say."""

import numpy as np
import pytest
from PIL import ImageFont

from hepatica.saliency.scale import FONT, in_units, round_length, with_bar


@pytest.mark.parametrize(("extent", "length"), [(1000, 200), (400, 100), (8000, 2000), (39.9, 5), (0.4, 0.1)])
def test_a_bar_is_the_longest_round_length_of_a_quarter(extent: float, length: float) -> None:
    assert round_length(extent) == pytest.approx(length)


def test_the_bar_is_as_long_as_it_says_and_the_picture_stays() -> None:
    picture = np.full((100, 200, 3), 200, np.uint8)
    drawn = with_bar(picture, width=4000)  # a bar of 1 mm is 50 pixels
    assert (picture == 200).all()
    black = (drawn == 0).all(axis=-1)
    assert black[90:].any(axis=0).sum() == pytest.approx(50, abs=2)
    assert in_units(1000) == "1 mm"
    assert in_units(200) == "200 µm"


def test_the_font_has_the_sign_of_micrometres() -> None:
    font = ImageFont.truetype(FONT, 20)
    missing = bytes(font.getmask("\U0010ffff"))
    assert bytes(font.getmask("µ")) != missing
