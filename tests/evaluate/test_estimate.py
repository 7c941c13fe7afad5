import json
import math

from hepatica.evaluate.estimate import Estimate, undefined


def test_an_estimate_reads_as_a_journal_prints_it() -> None:
    assert str(Estimate(value=0.8181, low=0.7, high=0.936, n=57, method="DeLong")) == "0.818 (0.700 to 0.936)"


def test_a_p_value_has_no_interval() -> None:
    assert str(Estimate(value=0.00374, low=None, high=None, n=57, method="log-rank")) == "0.00374"


def test_what_the_data_cannot_give_is_null_and_says_why() -> None:
    found = undefined("no row has the event", n=3)
    assert math.isnan(found.value)
    assert str(found) == "not computable"
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False)) == {
        "value": None,
        "low": None,
        "high": None,
        "n": 3,
        "method": "not computable: no row has the event",
        "level": 0.95,
    }
