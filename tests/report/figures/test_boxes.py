import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from hepatica.evaluate import compare_groups
from hepatica.evaluate.models.stacking import mean_limits
from hepatica.report.figures.boxes import compared, fold_box, line_of, paint, rows
from hepatica.report.figures.kaplan_meier import Arm


def arm(name: str, time: list[float], event: int = 1) -> Arm:
    return Arm(name=name, colour="k", patients=pd.DataFrame({"time": time, "event": event}))


HIGH, LOW = arm("High risk", [1.0, 2, 3, 4]), arm("Low risk", [2.0, 4, 6, 8, 10])


def test_times_are_compared_by_the_papers_rule() -> None:
    found = compared(HIGH, LOW)
    assert found == compare_groups([1, 2, 3, 4], second=[2, 4, 6, 8, 10], names=("high risk", "low risk"))
    # Student by hand: means 2.5 and 6, pooled variance (5 + 40) / 7, t = -3.5 / sqrt(6.4286 x 0.45) = -2.058, 7 df.
    assert line_of(found) == "Independent t-test: P = 0.079"


def test_rows_hold_every_step() -> None:
    table = {name: cells for name, *cells in rows([compared(HIGH, LOW)], of="high vs. low")}
    assert table["Median months, high vs. low"] == ["2.5 vs. 6.0"]
    assert table["Difference in months"] == ["-3.5 (-7.5\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}0.5)"]
    assert table["Test"] == ["independent t-test"]
    assert table["How it was chosen"][0].startswith("High risk, 4 patients: Shapiro-Wilk P = 0.97")


def test_too_few_patients_are_told() -> None:
    found = compared(arm("High risk", [1.0]), LOW)
    assert found == "not computable: two groups: got 1 patients in one, wanted 3 or more in each"
    assert rows([found], of="high vs. low")[1] == ["Difference in months", found]
    assert line_of(found) == "No test: too few patients, or all times equal"


@pytest.mark.parametrize("pair", [(HIGH, LOW), (arm("High risk", []), LOW), (arm("High risk", []), arm("Low", []))])
def test_every_patient_is_drawn(pair: tuple[Arm, Arm]) -> None:
    figure = Figure()
    paint(figure, drawn=pair, title="Somewhere")
    dots = sum(len(np.asarray(each.get_offsets())) for each in figure.axes[0].collections)
    assert dots == sum(len(each.patients) for each in pair)


def test_boxes_over_folds_have_the_interval_of_the_mean_as_whiskers() -> None:
    values = pd.Series([0.5, 0.6, 0.7, 0.8, 0.9])
    found = fold_box(values)
    assert (found["q1"], found["med"], found["q3"]) == pytest.approx((0.6, 0.7, 0.8))
    assert (found["whislo"], found["whishi"]) == mean_limits(values)
