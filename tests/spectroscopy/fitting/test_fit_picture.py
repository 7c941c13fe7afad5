"""Fit picture: ppm runs from right to left, and what is drawn is what was fitted."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from vectors import vector_of

from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.fit_picture import (
    HEIGHTS,
    SHOWN,
    DrawnFit,
    draw_fit,
    drawn_fits,
    paint_enlarged,
    paint_fit,
)
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.signal.acquisition import Acquisition

PPM = np.linspace(0.4, 4.2, 200)
MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Lac", "Lip13")))
WIDTHS = {"lorentz_hz": 6.0, "gauss_hz": 12.0}


def fit(components: int = 3) -> DrawnFit:
    peaks = {f"M{k}": (k + 1) * np.exp(-(((PPM - 1 - 0.1 * k) / 0.05) ** 2)) for k in range(components)}
    baseline = 0.1 + 0 * PPM
    return DrawnFit(
        ppm=PPM, data=sum(peaks.values()) + baseline + 0.02, fit=sum(peaks.values()) + baseline, baseline=baseline,
        components=peaks,
    )  # fmt: skip


def names(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[2].get_yticklabels()]


def span(axes) -> float:
    return float(np.ptp(axes.get_ylim()))


def test_ppm_runs_from_right_to_left_and_the_residual_is_data_less_fit() -> None:
    figure = Figure()
    paint_fit(figure, fit(), title="spectrum 1")
    above, middle, below = figure.axes
    left, right = below.get_xlim()
    assert (left, right) == (PPM.max(), PPM.min())
    np.testing.assert_allclose(above.lines[0].get_ydata(), 0.02)
    assert [line.get_label() for line in middle.lines] == ["data", "fit", "baseline"]
    assert [name.split()[0] for name in names(figure)] == ["M2", "M1", "M0"]
    assert [int(name.split()[1][:-1]) for name in names(figure)] == pytest.approx([100, 67, 33], abs=1)


def test_small_components_have_a_digit_more() -> None:
    figure, made = Figure(), fit()
    made.components["M0"] *= 0.0123 * made.components["M2"].max() / made.components["M0"].max()
    paint_fit(figure, made, title="")
    assert names(figure)[-1] == "M0 1.2%"


def test_the_largest_components_are_drawn() -> None:
    figure = Figure()
    paint_fit(figure, fit(SHOWN + 5), title="")
    assert {name.split()[0] for name in names(figure)} == {f"M{k}" for k in range(5, SHOWN + 5)}


def test_the_residual_is_enlarged_as_its_label_says() -> None:
    figure = Figure()
    paint_fit(figure, fit(), title="")
    above, middle, _ = figure.axes
    times = float(above.get_ylabel().split()[-1])
    # Intensity an inch of the data's panel over that of the residual's.
    assert times == pytest.approx((span(middle) / HEIGHTS[1]) / (span(above) / HEIGHTS[0]), abs=0.5)


def test_metabolites_below_tall_lipids_are_drawn_once_more() -> None:
    made = fit()
    choline = 0.03 * np.exp(-(((PPM - 3.2) / 0.05) ** 2))
    figure = Figure()
    paint_fit(figure, DrawnFit(**{**vars(made), "data": made.data + choline, "fit": made.fit + choline}), title="")
    [again, fitted] = figure.axes[1].lines[3:]
    assert again.get_xdata().min() > 2.6
    [label] = figure.axes[1].texts
    times = float(label.get_text().split()[-1])
    assert times == pytest.approx(np.ptp(again.get_ydata()) / 0.03, rel=0.05)
    np.testing.assert_allclose(again.get_ydata() - fitted.get_ydata(), times * 0.02, rtol=0.05)


def test_metabolites_beside_low_lipids_are_not() -> None:
    ppm = np.linspace(0.4, 4.2, 200)
    metabolites, lipids = (np.exp(-(((ppm - place) / 0.05) ** 2)) for place in (3.2, 1.3))
    times = []
    for real in (metabolites + 20 * lipids, metabolites + lipids):
        axes = Figure().subplots()
        paint_enlarged(axes, ppm, real, {"black": real})
        times.append([each.get_text() for each in axes.texts])
    assert times == [[" \N{MULTIPLICATION SIGN} 9.2"], []]


def test_a_flat_spectrum_is_drawn_too(tmp_path: Path) -> None:
    zero = 0 * PPM
    flat = DrawnFit(ppm=PPM, data=zero, fit=zero, baseline=zero, components={"Cho": zero})
    draw_fit(flat, path=tmp_path / "f.png", title="nothing", note="phantom")
    with Image.open(tmp_path / "f.png") as image:
        assert image.size == (1080, 1140)


def vectors(**shared: float) -> np.ndarray:
    return vector_of(MODEL, {"Cho": 2.0, "Lac": 3.0, "Lip13": 10.0}, **WIDTHS, **shared)


def test_the_model_and_a_smooth_baseline_leave_no_residual() -> None:
    smooth = 5 * np.exp(-0.5 * ((MODEL.ppm - 2.5) / 1.0) ** 2)
    [found] = drawn_fits(vectors(), MODEL.evaluate(vectors()) + smooth, model=MODEL)
    np.testing.assert_allclose(found.baseline, smooth, atol=0.02 * smooth.max())
    np.testing.assert_allclose(found.data - found.fit, 0, atol=0.02 * smooth.max())
    peaks = MODEL.evaluate(vectors())[0].real
    np.testing.assert_allclose(sum(found.components.values()), peaks, atol=1e-9 * peaks.max())
    np.testing.assert_allclose(found.fit - found.baseline, peaks, atol=1e-9 * peaks.max())


def test_what_the_fit_lacks_is_the_residual() -> None:
    lacking = vector_of(MODEL, {"Lac": 3.0, "Lip13": 10.0}, **WIDTHS)
    [found] = drawn_fits(lacking, MODEL.evaluate(vectors()), model=MODEL)
    choline = vector_of(MODEL, {"Cho": 2.0}, **WIDTHS)
    missed = MODEL.evaluate(choline)[0].real
    residual = found.data - found.fit
    assert MODEL.ppm[residual.argmax()] == pytest.approx(MODEL.ppm[missed.argmax()])
    assert residual.max() > 0.5 * missed.max()  # the baseline takes the rest


@pytest.mark.parametrize("shared", [{"phase0": 0.6}, {"phase1": -0.3}, {"phase0": -2.0, "phase1": 0.2}])
def test_phases_are_turned_back(shared: dict[str, float]) -> None:
    assert set(shared) <= set(SHARED)
    [upright], [turned] = (
        drawn_fits(each, MODEL.evaluate(each), model=MODEL) for each in (vectors(), vectors(**shared))
    )
    top = upright.data.max()
    np.testing.assert_allclose(turned.data, upright.data, atol=1e-6 * top)
    for name in MODEL.names:
        np.testing.assert_allclose(turned.components[name], upright.components[name], atol=1e-6 * top)


def test_each_spectrum_has_its_own_fit() -> None:
    both = np.concatenate([vectors(), 2 * vector_of(MODEL, {"Cho": 1.0}, lorentz_hz=3.0, gauss_hz=6.0)])
    first, second = drawn_fits(both, MODEL.evaluate(both), model=MODEL)
    assert first.components["Lip13"].max() > 0
    assert np.abs(second.components["Lip13"]).max() == 0
    np.testing.assert_allclose(second.data, MODEL.evaluate(both)[1].real, atol=1e-9)
