from dataclasses import FrozenInstanceError, asdict, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import Microns
from hepatica.pathology.phantom.layout import STANDARD, draw_layout, enlarge, ramp, smooth_noise


@pytest.mark.parametrize("seed", range(4))
def test_maps_are_shares(seed: int) -> None:
    layout = draw_layout(np.random.default_rng(seed), side=256, pixel=Microns(1.0), plate_width=Microns(50))
    for field in fields(layout):
        values = getattr(layout, field.name)
        assert values.shape == (256, 256)
        assert np.isfinite(values).all()
        if field.name not in {"fibre", "plate"}:
            assert 0 <= values.min() <= values.max() <= 1
    assert 0.5 < layout.tissue.mean() < 0.9  # a disc of 0.47 sides has 0.69 of the square
    assert not layout.tissue[[0, 0, -1, -1], [0, -1, 0, -1]].any()


def test_structures_exclude_each_other() -> None:
    for seed in range(4):
        layout = draw_layout(np.random.default_rng(seed), side=256, pixel=Microns(1.0), plate_width=Microns(50))
        stroma, lumen = layout.stroma > 0.99, layout.lumen > 0.99
        assert not (stroma & lumen).any()
        for inside in (stroma, lumen):
            assert max(layout.sinusoid[inside].max(initial=0), layout.parenchyma[inside].max(initial=0)) < 0.02
        assert layout.parenchyma.mean() > 0.3


def test_thin_plates_have_more_sinusoids() -> None:
    thin, thick = (
        np.mean(
            [
                draw_layout(np.random.default_rng(seed), side=256, pixel=Microns(1), plate_width=width).sinusoid.mean()
                for seed in range(4)
            ]
        )
        for width in (Microns(35), Microns(80))
    )
    assert thin > thick


def test_noise_is_about_standard_and_as_smooth_as_asked() -> None:
    fine, coarse = (smooth_noise(np.random.default_rng(0), side=256, grain=grain) for grain in (3, 30))
    assert fine.shape == (256, 256)
    assert fine.mean() == pytest.approx(0, abs=0.1)
    assert fine.std() == pytest.approx(0.85, abs=0.25)  # interpolation takes some of the variance
    assert np.abs(np.diff(fine)).mean() > 5 * np.abs(np.diff(coarse)).mean()


def test_enlarging_keeps_a_constant() -> None:
    assert enlarge(np.full((5, 5), 2.5), side=17) == pytest.approx(2.5)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-10, 10), min_size=2, max_size=20), st.floats(-5, 5), st.floats(0.1, 5))
def test_ramp_rises_from_0_to_1_and_turns_round(values: list[float], low: float, width: float) -> None:
    field = np.sort(np.array(values))
    rising = ramp(field, low=low, high=low + width)
    assert ((rising >= 0) & (rising <= 1)).all()
    assert (np.diff(rising) >= 0).all()
    assert ramp(field, low=low + width, high=low) == pytest.approx(1 - rising, abs=1e-9)


def test_settings_are_frozen_plain_numbers() -> None:
    with pytest.raises(FrozenInstanceError):
        STANDARD.side = 1  # type: ignore[misc]
    assert {type(value) for value in asdict(STANDARD).values()} == {int, float, str}


def test_aggressive_tumours_look_worse() -> None:
    assert STANDARD.nucleus_aggressive > STANDARD.nucleus_mild
    assert STANDARD.lymphocytes_aggressive < STANDARD.lymphocytes_mild
