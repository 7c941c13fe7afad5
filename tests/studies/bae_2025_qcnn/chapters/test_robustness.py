from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing

from hepatica.report.chapters.quantification.robustness import paint_sweep, section
from hepatica.report.chapters.quantification.robustness import relative as relative_to
from hepatica.report.page.blocks import Figure, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.studies.bae_2025_qcnn.chapters import COMPARED

Sketch = Callable[[Path], Gallery]

relative = partial(relative_to, reference="nls")

ERRORS = {
    ("as trained", "", "nls"): (2.0, 10.0),
    ("as trained", "", "qcnn"): (1.0, 20.0),
    ("SNR of tCho", "5", "nls"): (8.0, 20.0),
    ("SNR of tCho", "5", "qcnn"): (1.0, 15.0),
    ("SNR of tCho", "80", "nls"): (1.0, 2.5),
    ("SNR of tCho", "80", "qcnn"): (1.0, 15.0),
}
"""Mean |error| in mM of two targets, of which one is five times as abundant."""


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"sweep": sweep, "level": level, "method": method, "target": target, "mae": mae}
            for (sweep, level, method), errors in ERRORS.items()
            for target, mae in zip("AB", errors, strict=True)
        ]
    )


def test_errors_are_over_those_of_least_squares_as_trained(table: pd.DataFrame) -> None:
    found = relative(table).set_index(["sweep", "level", "method"])["error"]
    assert found["as trained", "", "nls"] == 1
    assert found["as trained", "", "qcnn"] == pytest.approx((1 / 2 + 20 / 10) / 2)
    assert found["SNR of tCho", "5", "nls"] == pytest.approx((8 / 2 + 20 / 10) / 2)
    assert found["SNR of tCho", "80", "qcnn"] == pytest.approx((1 / 2 + 15 / 10) / 2)


def test_levels_are_joined_and_training_stands_alone(table: pd.DataFrame) -> None:
    figure = Drawing()
    paint_sweep(figure, table=relative(table), sweep="SNR of tCho", compared=COMPARED)
    [axes] = figure.axes
    trained, levels = axes.lines[:2]  # of least squares
    assert trained.get_ydata().tolist() == [1]
    assert levels.get_ydata().tolist() == [3, 0.375]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["trained", "5", "80"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["NLS", "qCNN"]


def test_methods_that_lie_on_each_other_are_told_apart(table: pd.DataFrame) -> None:
    figure = Drawing()
    nls = table[table["method"] == "nls"]
    found = relative(pd.concat([nls, nls.assign(method="map"), nls.assign(method="qcnn+gn")]))
    paint_sweep(figure, table=found, sweep="SNR of tCho", compared=COMPARED)
    looks = {
        (line.get_marker(), line.get_linestyle()) for line in figure.axes[0].lines if line.get_linestyle() != "None"
    }
    assert len({marker for marker, _ in looks}) == 3
    assert all(line.get_fillstyle() == "none" for line in figure.axes[0].lines)


def test_a_panel_a_sweep_and_a_row_a_condition(
    with_tables: Callable[..., Run], table: pd.DataFrame, tmp_path: Path, sketchbook: Sketch
) -> None:
    _, figure, told = section(with_tables(robustness=table), sketchbook(tmp_path), compared=COMPARED).blocks
    assert isinstance(figure, Figure)
    assert isinstance(told, Table)
    assert [panel.alt for panel in figure.panels] == ["Errors of each method against SNR of tCho"]
    assert [list(row) for row in told.rows] == [
        ["as trained", "1.00", "1.25"],
        ["SNR of tCho 5", "3.00", "1.00"],
        ["SNR of tCho 80", "0.38", "1.00"],
    ]


def test_the_study_has_five_sweeps(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    _, figure, told = section(study, sketchbook(tmp_path), compared=COMPARED).blocks
    assert isinstance(figure, Figure)
    assert isinstance(told, Table)
    assert len(figure.panels) == 5
    assert len(told.rows) == 9  # conditions of the fixture; all are counted in ../test_robustness.py
