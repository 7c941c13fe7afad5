from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.audit.integer_tables import (
    NO_METHOD,
    interval_notes,
    limits_of,
    possible_tables,
    read_printed,
)
from hepatica.evaluate.binary.confusion import Confusion, accuracy, f1, kappa, npv, ppv, sensitivity, specificity

RATES = {
    "accuracy": accuracy, "sensitivity": sensitivity, "specificity": specificity, "ppv": ppv, "npv": npv, "f1": f1,
    "kappa": kappa,
}  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.tuples(*[st.integers(1, 40)] * 4), st.sets(st.sampled_from(list(RATES)), min_size=1), st.booleans())
def test_the_true_counts_are_always_found(counts: tuple[int, int, int, int], shown: set[str], interval: bool) -> None:
    tp, fp, fn, tn = counts
    counted = Confusion(tp=tp, fp=fp, fn=fn, tn=tn)
    printed = {}
    for name in shown:
        found = RATES[name](counted)
        assert found.low is not None
        limits = f" ({found.low:.3f}-{found.high:.3f})" if interval and name not in ("f1", "kappa") else ""
        printed[name] = read_printed(f"{found.value:.3f}{limits}")
    assert list(counts) in possible_tables(printed, n=sum(counts)).tolist()
    assert list(counts) in possible_tables(printed, n=sum(counts), positives=tp + fn).tolist()


@pytest.mark.parametrize("shown", [("sensitivity", "ppv"), ("accuracy", "npv"), ("specificity", "kappa"), ("f1",)])
def test_no_others_are_found_than_by_trying_all(shown: tuple[str, ...]) -> None:
    counted = Confusion(tp=6, fp=3, fn=2, tn=7)
    printed = {name: read_printed(f"{RATES[name](counted).value:.2f}") for name in shown}
    wanted = []
    for tp, fp, fn in product(range(19), repeat=3):
        tn = 18 - tp - fp - fn
        if tn < 0 or tp + fn in (0, 18):
            continue
        other = Confusion(tp=tp, fp=fp, fn=fn, tn=tn)
        if all(abs(RATES[name](other).value - printed[name].value) <= 0.005 + 1e-9 for name in shown):
            wanted.append([tp, fp, fn, tn])
    assert sorted(possible_tables(printed, n=18).tolist()) == sorted(wanted)


def test_an_interval_by_any_usual_method_counts() -> None:
    """8 of 10 by hand: Wilson 0.490 to 0.943, Clopper-Pearson 0.444 to 0.975, Wald 0.552 to 1."""
    for limits, method in (("0.490-0.943", "Wilson"), ("0.444-0.975", "Clopper-Pearson"), ("0.552-1.000", "Wald")):
        printed = {"sensitivity": read_printed(f"0.800 ({limits})")}
        found = possible_tables(printed, n=12, positives=10)
        assert np.unique(found[:, 0]).tolist() == [8]
        assert interval_notes(found[0], printed) == [f"interval of sensitivity: {method}"]


def test_an_interval_of_no_method_may_be_a_bootstraps_where_it_is_near() -> None:
    near, far = ({"sensitivity": read_printed(text)} for text in ("0.800 (0.500-1.000)", "0.800 (0.100-0.850)"))
    (found, *_) = possible_tables(near, n=12, positives=10)
    assert interval_notes(found, near) == [f"interval of sensitivity: {NO_METHOD}"]
    assert not len(possible_tables(far, n=12, positives=10))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 59), st.integers(0, 20))
def test_intervals_are_those_of_statsmodels(part: int, more: int) -> None:
    whole = part + more
    found = limits_of(np.array([[part, 0, more, 30]]), "sensitivity")
    names = {"Clopper-Pearson": "beta", "Wilson": "wilson", "Jeffreys": "jeffreys", "Agresti-Coull": "agresti_coull"}
    for name, theirs in (names | {"Wald": "normal"}).items():
        low, high = proportion_confint(part, whole, method=theirs)
        assert (found[name][0][0], found[name][1][0]) == pytest.approx((max(low, 0), min(high, 1)), abs=1e-9)


def test_the_others_are_those_of_their_papers() -> None:
    """Newcombe 1998, table I, method 4: 81 of 263 has 0.2535 to 0.3682. MedCalc of TP 60, FP 5, FN 7, TN 22."""
    (low,), (high,) = limits_of(np.array([[81, 0, 182, 1]]), "sensitivity")["Wilson with continuity correction"]
    assert (low, high) == pytest.approx((0.2535, 0.3682), abs=5e-5)
    (low,), (high,) = limits_of(np.array([[60, 5, 7, 22]]), "ppv")["logit (MedCalc)"]
    assert (low, high) == pytest.approx((0.844, 0.964), abs=5e-4)


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
