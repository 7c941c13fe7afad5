from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from hepatica.report.chapters.quantification.compared import quantified
from hepatica.report.chapters.quantification.errors import versus
from hepatica.report.page.results import Run
from hepatica.studies.bae_2025_qcnn.chapters import COMPARED

PAPER_P = COMPARED.level


def table(first: np.ndarray, second: np.ndarray) -> pd.DataFrame:
    """One target of truth 0; errors of qcnn and of nls."""
    own = {"spectrum": np.arange(len(first)), "target": "A", "truth": 0.0}
    return pd.concat(
        [pd.DataFrame(own | {"method": name, "estimate": off}) for name, off in (("qcnn", first), ("nls", second))]
    )


def test_half_the_error_in_every_spectrum(with_tables: Callable[..., Run], known: pd.DataFrame) -> None:
    own = quantified(with_tables(quantified=known), kind="signal model")
    for found in versus(own, "qcnn", "nls"):
        assert found.by_spectrum.ratio.value == pytest.approx(0.5)
        assert found.share == 1
        assert found.by_set.p == pytest.approx(2 / 2**10)  # all ten sets on one side
        assert (found.lower, found.better(PAPER_P), found.better_in_sets(PAPER_P)) == (True, True, True)
    assert [found.by_spectrum.target for found in versus(own, "qcnn", "nls")] == ["A", "B"]


def test_the_worse_one_is_not_better_however_sure(with_tables: Callable[..., Run], known: pd.DataFrame) -> None:
    own = quantified(with_tables(quantified=known), kind="everything")
    for found in versus(own, "qcnn", "map"):
        assert found.by_spectrum.ratio.value == pytest.approx(2)
        assert found.by_spectrum.p_holm <= PAPER_P
        assert found.share == 0
        assert (found.lower, found.better(PAPER_P), found.better_in_sets(PAPER_P)) == (False, False, False)


def test_a_mean_that_one_stray_fit_spoils_makes_nobody_better() -> None:
    rng = np.random.default_rng(0)
    first = 0.2 + 0.01 * rng.random(60)
    second = 0.1 + 0.01 * rng.random(60)
    second[7] = 100.0
    [found] = versus(table(first, second), "qcnn", "nls")
    assert found.lower  # by the mean
    assert found.by_spectrum.p_holm <= PAPER_P  # because it is worse in 59 of 60
    assert found.share == pytest.approx(1 / 60)
    assert not found.better(PAPER_P)
    assert not found.better_in_sets(PAPER_P)


def test_equal_methods_are_equal() -> None:
    off = np.random.default_rng(1).normal(size=60)
    [found] = versus(table(off, -off), "qcnn", "nls")
    assert found.by_spectrum.ratio.value == 1
    assert found.by_spectrum.p == 1
    assert (found.lower, found.better(PAPER_P), found.better_in_sets(PAPER_P)) == (False, False, False)
