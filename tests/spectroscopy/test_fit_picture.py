"""Fit picture: ppm runs from right to left, and what is drawn is what was fitted."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from hepatica.spectroscopy.fit_picture import SHOWN, DrawnFit, draw_fit, paint_fit

PPM = np.linspace(0.4, 4.2, 200)


def fit(components: int = 3) -> DrawnFit:
    peaks = {f"M{k}": (k + 1) * np.exp(-(((PPM - 1 - 0.1 * k) / 0.05) ** 2)) for k in range(components)}
    baseline = 0.1 + 0 * PPM
    return DrawnFit(
        ppm=PPM, data=sum(peaks.values()) + baseline + 0.02, fit=sum(peaks.values()) + baseline, baseline=baseline,
        components=peaks,
    )  # fmt: skip


def test_ppm_runs_from_right_to_left_and_the_residual_is_data_less_fit() -> None:
    figure = Figure()
    paint_fit(figure, fit(), title="spectrum 1")
    above, middle, below = figure.axes
    left, right = below.get_xlim()
    assert (left, right) == (PPM.max(), PPM.min())
    np.testing.assert_allclose(above.lines[0].get_ydata(), 0.02)
    assert [line.get_label() for line in middle.lines] == ["data", "fit", "baseline"]
    assert [text.get_text().split()[0] for text in below.texts] == ["M2", "M1", "M0"]
    assert [int(text.get_text().split()[1][:-1]) for text in below.texts] == pytest.approx([100, 67, 33], abs=1)


def test_the_largest_components_are_drawn() -> None:
    figure = Figure()
    paint_fit(figure, fit(SHOWN + 5), title="")
    names = {text.get_text().split()[0] for text in figure.axes[2].texts}
    assert names == {f"M{k}" for k in range(5, SHOWN + 5)}


def test_a_flat_spectrum_is_drawn_too(tmp_path: Path) -> None:
    zero = 0 * PPM
    flat = DrawnFit(ppm=PPM, data=zero, fit=zero, baseline=zero, components={"Cho": zero})
    draw_fit(flat, path=tmp_path / "f.png", title="nothing", note="phantom")
    with Image.open(tmp_path / "f.png") as image:
        assert image.size == (1080, 1140)
