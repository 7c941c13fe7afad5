import numpy as np
import pandas as pd
import pytest

from hepatica.report.chapters.baseline import is_category, unlike


def test_a_few_numbers_are_compared_as_categories() -> None:
    # Stages 0, 1 and 2: as numbers their means are alike, as categories nothing is.
    first, second = pd.Series([0, 2] * 10), pd.Series([1, 1, 1, 0, 2] * 4)
    assert unlike(first, second) == pytest.approx(unlike(first.map(str), second.map(str)))
    assert unlike(first, second) > 1


def test_a_group_without_values_has_no_difference() -> None:
    assert np.isnan(unlike(pd.Series([1.0, 2.0]), pd.Series([np.nan])))


def test_few_values_are_categories_many_are_not() -> None:
    assert is_category(pd.Series([0, 1, 1, 0]))
    assert is_category(pd.Series(["A", "B"] * 10))
    assert not is_category(pd.Series(np.arange(20.0)))


def test_a_covariate_the_other_group_lacks_has_no_difference_and_warns_of_nothing() -> None:
    # Warnings are errors here, and pandas warns of joining numbers and no values.
    assert np.isnan(unlike(pd.Series([40.0, 50.0, 60.0]), pd.Series(dtype=object)))
    assert np.isnan(unlike(pd.Series(dtype=object), pd.Series(dtype=object)))
