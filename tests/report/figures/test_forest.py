import pytest
from matplotlib.figure import Figure

from hepatica.evaluate import Estimate
from hepatica.report.figures.forest import Line, forest

RATIO = Estimate(value=2.0, low=1.0, high=4.0, n=50, method="Cox")


@pytest.mark.parametrize("together", [RATIO, None])
def test_the_key_tells_two_kinds_apart_where_there_are_two(together: Estimate | None) -> None:
    figure = Figure()
    forest(figure, lines=[Line(name="size", alone=RATIO, together=together)], title="")
    [axes] = figure.axes
    assert (axes.get_legend() is not None) == (together is not None)
    heights = {float(line.get_ydata()[0]) for line in axes.get_lines() if list(line.get_xdata()) == [1.0, 4.0]}
    assert heights == ({-0.14, 0.14} if together else {0.0})


def test_no_model_is_told() -> None:
    figure = Figure()
    forest(figure, lines=[Line(name="size", alone=None, together=None)], title="")
    assert "No model could be fitted" in figure.axes[0].texts[0].get_text()
