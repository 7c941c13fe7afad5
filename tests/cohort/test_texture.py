"""Texture: bands add up, and structure that runs one way is coherent."""

import numpy as np

from hepatica.cohort.texture import bands, coherence

NOISE = np.random.default_rng(0).normal(size=(2, 64, 64))


def test_fine_structure_is_in_the_fine_band() -> None:
    x = np.arange(64)
    fine, coarse = (np.tile(np.sin(2 * np.pi * x / period), (1, 64, 1)) for period in (6, 40))
    by_scale = [
        {scale: band.std() for scale, band in bands(each, scales=(1, 2, 4, 8)).items()} for each in (fine, coarse)
    ]
    assert max(by_scale[0], key=by_scale[0].get) == 1
    assert max(by_scale[1], key=by_scale[1].get) == 8


def test_stripes_are_coherent_noise_is_less_and_nothing_is_not() -> None:
    stripes = np.tile(np.sin(np.arange(64) / 2), (1, 64, 1))
    assert coherence(stripes, scale=1) > 0.95
    assert coherence(NOISE, scale=1) < 0.5
    assert coherence(np.ones((1, 32, 32)), scale=1) == 0
