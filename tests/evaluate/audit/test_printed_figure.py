import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.audit.printed_figure import read_printed


@pytest.mark.parametrize(
    "text",
    [
        "0.927 (0.686-0.907)", "0.927 (0.686\u20130.907)", ".927 [.686, .907]", "92.7% (68.6 to 90.7)",
        "92.7 % (68.6%-90.7%)", "0\u00b7927 (0\u00b7686\u20130\u00b7907)", " 0.927  (0.686;0.907) ",
    ],
)  # fmt: skip
def test_as_journals_print_it(text: str) -> None:
    found = read_printed(text)
    assert (found.value, found.low, found.high) == pytest.approx((0.927, 0.686, 0.907))
    assert found.half == pytest.approx(0.0005)
    assert found.outside_its_interval


@pytest.mark.parametrize(
    ("text", "half"), [("0.50", 0.005), ("0.5", 0.05), ("1", 0.5), ("50%", 0.005), ("-0.05", 0.005)]
)
def test_digits_matter(text: str, half: float) -> None:
    assert read_printed(text).half == pytest.approx(half)
    assert not read_printed(text).outside_its_interval


@pytest.mark.parametrize("text", ["", "high", "0.9 (0.8)", "0.9 (0.8-0.9-1.0)", "0.9.1"])
def test_what_is_no_figure(text: str) -> None:
    with pytest.raises(EvaluationError, match="wanted a number as printed"):
        read_printed(text)
