import numpy as np
import pytest

from hepatica.evaluate import Comparison, Estimate
from hepatica.studies.wang_2021.chapters.reader_rows import difference, rate, versus_cells

SURE = Estimate(value=0.05, low=-0.01, high=0.11, n=9, method="")
NOTHING = Estimate(value=np.nan, low=None, high=None, n=9, method="")


def test_a_difference_has_its_sign() -> None:
    told = difference(Comparison(difference=SURE, p=0.1)).replace("\N{NO-BREAK SPACE}", " ")
    assert told == "+0.050 (-0.010 to +0.110)"


@pytest.mark.parametrize("found", [None, Comparison(difference=NOTHING, p=np.nan)])
def test_no_difference_is_a_dash(found: Comparison | None) -> None:
    assert difference(found) == "\N{EN DASH}"


def test_a_difference_without_spread_has_no_interval() -> None:
    alike = Estimate(value=0.0, low=None, high=None, n=9, method="")
    assert difference(Comparison(difference=alike, p=1.0)) == "+0.000"


def test_no_rate_is_a_dash() -> None:
    assert (rate(None), rate(NOTHING)) == ("\N{EN DASH}", "\N{EN DASH}")
    assert versus_cells(None, "accuracy") == ["\N{EN DASH}"] * 3
