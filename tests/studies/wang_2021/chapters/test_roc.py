from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import ReaderTable
from hepatica.report.page.blocks import Figure, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.studies.wang_2021.chapters.found import read_by
from hepatica.studies.wang_2021.chapters.roc import paint_read, points, section

Sketch = Callable[[Path], Gallery]


def test_points_are_the_rates_of_each_reader(printed: Callable[[str], ReaderTable]) -> None:
    table = printed("internal")
    false_alarms, found = points(table, table.arms["unaided"])
    np.testing.assert_allclose(found, np.array([39, 42, 41]) / 54)
    np.testing.assert_allclose(false_alarms, np.array([3, 3, 6]) / 41)


def test_the_red_star_is_the_mean_of_the_grey_ones(study: Run) -> None:
    table, figure = read_by(study.internal, study.targets[0]), Drawing()
    assert table is not None
    paint_read(figure, table=table, title="")
    lines = {str(line.get_label()): line.get_xydata() for line in figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["mean of readers"][0], lines["readers"].mean(axis=0))
    assert len(lines["readers"]) == 3


def test_each_cohort_has_a_panel_of_all_and_one_of_those_read(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    _, figure = section(study, sketchbook(tmp_path)).blocks
    assert isinstance(figure, Figure)
    assert [panel.alt.split(",")[0] for panel in figure.panels] == [
        "ROC curve of the model",
        "ROC curve of the model and points of 3 readers",
    ] * 2


def test_a_cohort_nobody_read_is_told(diagnosed: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    told = section(read_run(diagnosed, external=[]), sketchbook(tmp_path)).blocks[-1]
    assert isinstance(told, Text)
    assert told.text == "No readings of the reported patients of Internal test: Hospital A."
