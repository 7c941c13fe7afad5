"""Results: what one chapter does to its table reaches no other."""

from pathlib import Path

from hepatica.report.page import read_run


def test_a_table_that_was_altered_is_not_given_to_the_next(finished: Path) -> None:
    results = read_run(finished).internal
    target = results.targets[0]
    results.outcomes(target)["score"] = -1.0
    again = results.outcomes(target)
    assert (again["score"] >= 0).all()
    again["score"] = -1.0
    assert (results.outcomes(target)["score"] >= 0).all()
    assert results.outcomes(target).index.intersection(results.outcomes(target, fold="train").index).empty
