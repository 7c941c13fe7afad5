from dataclasses import FrozenInstanceError, asdict

import pytest

from hepatica.pathology.phantom.settings import STANDARD


def test_settings_are_frozen_plain_numbers() -> None:
    with pytest.raises(FrozenInstanceError):
        STANDARD.side = 1  # type: ignore[misc]
    assert {type(value) for value in asdict(STANDARD).values()} == {int, float, str}


def test_aggressive_tumours_look_worse() -> None:
    assert STANDARD.nucleus_aggressive > STANDARD.nucleus_mild
    assert STANDARD.lymphocytes_aggressive < STANDARD.lymphocytes_mild
