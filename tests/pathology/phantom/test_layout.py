from dataclasses import fields

import numpy as np
import pytest

from hepatica.cohort import Microns
from hepatica.pathology.phantom.layout import draw_layout


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
