from itertools import pairwise

import pandas as pd
import pytest
from matplotlib.figure import Figure

from hepatica.evaluate import cox_nomogram, logistic_nomogram
from hepatica.report.chapters.variables.nomogram import height, paint_nomogram

RANGES = pd.DataFrame({"signature": [-2, 2], "afp_ng_ml_log10": [0, 5], "bclc_c": [0, 1], "albumin_g_l": [25, 45]})
MODEL = cox_nomogram(
    {"signature": 1.2, "afp_ng_ml_log10": 0.4, "bclc_c": 0.6, "albumin_g_l": -0.04},
    values=RANGES,
    time=[6, 30],
    event=[1, 1],
    horizons=(12.0, 36.0),
)


def drawn(model) -> dict[float, dict[str, float]]:
    """Texts of each row, and where they are."""
    figure = Figure(figsize=(6, height(model)))
    paint_nomogram(figure, model=model, title="Survival")
    [axes] = figure.axes
    rows: dict[float, dict[str, float]] = {}
    for text in axes.texts:
        x, y = text.get_position()
        rows.setdefault(round(y - 0.08), {})[text.get_text()] = x
    return rows


def test_a_mark_lies_where_its_points_are() -> None:
    # The signature has 4.8 of the linear predictor and 100 points; albumin 0.8, its lowest value 16.67 points.
    rows = drawn(MODEL)
    assert rows[0]["50"] == 0.5
    assert rows[1] == pytest.approx({"-2": 0, "-1": 0.25, "0": 0.5, "1": 0.75, "2": 1})
    assert rows[4]["25"] == pytest.approx(0.16667, abs=1e-4)
    total = 100 + (2.0 + 0.6 + 0.8) / 0.048
    assert rows[5]["100"] == pytest.approx(100 / total)


def test_labels_do_not_touch() -> None:
    for row in drawn(MODEL).values():
        places = sorted(row.values())
        assert all(after - before >= 0.045 for before, after in pairwise(places))


def test_a_probability_out_of_reach_is_named() -> None:
    model = logistic_nomogram({"signature": 0.001}, values=RANGES, intercept=-9.0)
    figure = Figure()
    paint_nomogram(figure, model=model, title="")
    assert "beyond the scale" in {text.get_text() for text in figure.axes[0].texts}
