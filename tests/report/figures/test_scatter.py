import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from hepatica.report.figures.scatter import fitted, paint

OUTCOMES = pd.DataFrame(
    {
        "time": [9.0, 7, 5, 3],
        "score": [0.1, 0.2, 0.3, 0.4],
        "event": [0, 1, 1, 1],
        "group": ["low", "low", "high", "high"],
    }
)


def test_the_line_goes_through_the_dots() -> None:
    line = fitted(OUTCOMES, x="score")
    assert not isinstance(line, str)
    assert (line.slope.value, line.intercept) == pytest.approx((-20, 11))


def test_no_line_through_one_score() -> None:
    assert "x is the same for all patients" in str(fitted(OUTCOMES.assign(score=0.5), x="score"))


@pytest.mark.parametrize("table", [OUTCOMES, OUTCOMES.assign(score=0.5), OUTCOMES[:1], OUTCOMES[:0]])
def test_every_patient_is_drawn(table: pd.DataFrame) -> None:
    figure = Figure()
    paint(figure, outcomes=table, x="score", xlabel="Score", title="Somewhere", note="")
    axes = figure.axes[0]
    drawn = sum(len(np.asarray(each.get_offsets())) for each in axes.collections[:1])
    assert drawn == len(table)
    if len(table) > 1:
        faces = axes.collections[0].get_facecolors()
        assert faces[0].tolist() == [1, 1, 1, 1], "a censored patient is hollow"
