"""Expression: arithmetic is evaluated as Python does, and nothing but arithmetic is."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.clinical.score import names_in, value

SCOPE = {"x": np.array([1.0, 4.0]), "y": np.array([2.0, 2.0])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-x + 2 * y ** 2 / 4", [1, -2]),
        ("where((x > 1) & ~(y == 3), log10(100), sqrt(x))", [1, 2]),
        ("clip(x, 2, 3)", [2, 3]),
        ("(x <= 1) | (y != 2)", [True, False]),
    ],
)
def test_arithmetic_and_comparisons_of_arrays(text: str, expected: list[float]) -> None:
    np.testing.assert_allclose(value(text, SCOPE), expected)


def test_names_are_columns_and_functions() -> None:
    assert sorted(names_in("log(x) + y")) == ["log", "x", "y"]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "x.shape",
        "[1, 2]",
        "'a'",
        "x[0]",
        "lambda: 1",
        "open('f')",
        "z",
        "log(x, out=y)",
        "1 < x < 2",
        "x +",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="wanted arithmetic and comparisons"):
        value(text, SCOPE)


@given(st.text(max_size=30))
def test_no_text_does_anything_but_compute(text: str) -> None:
    with suppress(ValueError, TypeError, ArithmeticError):
        assert np.isfinite(np.asarray(value(text, SCOPE), float)).size
