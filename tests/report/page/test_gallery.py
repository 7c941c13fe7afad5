from pathlib import Path

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure

from hepatica.report.page.gallery import MOST_POINTS, Gallery


def paint(figure: Figure) -> None:
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1])
    axes.set_title("AFP < 20 $ng$")


def test_the_same_drawing_gives_the_same_files(tmp_path: Path) -> None:
    panels = [Gallery(tmp_path / name, phantom=True).draw("line", paint, alt="A line") for name in ("one", "two")]
    assert panels[0] == panels[1]
    for suffix in ("png", "svg"):
        assert (tmp_path / f"one/line.{suffix}").read_bytes() == (tmp_path / f"two/line.{suffix}").read_bytes()


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    before = dict(rcParams)
    Gallery(tmp_path, phantom=False).draw("line", paint, alt="A line")
    assert dict(rcParams) == before


def test_phantom_is_stamped_and_told(tmp_path: Path) -> None:
    panel = Gallery(tmp_path, phantom=True).draw("line", paint, alt="A line")
    assert panel.alt == "Phantom. A line"
    assert "PHANTOM" in (tmp_path / "line.svg").read_text(encoding="utf-8")
    Gallery(tmp_path, phantom=False).draw("line", paint, alt="A line")
    assert "PHANTOM" not in (tmp_path / "line.svg").read_text(encoding="utf-8")


def test_a_failed_drawing_leaves_no_file(tmp_path: Path) -> None:
    def fail(figure: Figure) -> None:
        raise ValueError("no data")

    with pytest.raises(ValueError, match="no data"):
        Gallery(tmp_path / "figures", phantom=False).draw("line", fail, alt="A line")
    assert not list(tmp_path.rglob("line.*"))


def test_many_marks_are_pixels_in_the_svg_and_few_are_not(tmp_path):
    def svg(count):
        def paint(figure):
            axes = figure.subplots()
            axes.scatter(np.arange(count), np.arange(count) % 7)
            axes.plot(np.arange(count), "|")

        Gallery(tmp_path, phantom=False).draw(f"n{count}", paint, alt="marks")
        return (tmp_path / f"n{count}.svg").read_text()

    few, many = svg(MOST_POINTS), svg(20 * MOST_POINTS)
    assert "<image" not in few
    assert many.count("<image") >= 1
    assert len(many) < len(few)
