from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort.phantom.readers import RATES, outlined, read_all, read_assisted
from hepatica.evaluate.readers.reader_table import read_readers
from hepatica.evaluate.readers.readers import study_readers

CASES = [f"A-{number:04d}" for number in range(4000)]
HCC = np.arange(4000) % 2


def readings(hospital: str) -> pd.DataFrame:
    return read_all(CASES, HCC, seed=0, hospital=hospital, correlation=0.4)


@pytest.mark.parametrize("hospital", ["A", "B"])
def test_readers_have_the_rates_of_the_paper(hospital: str) -> None:
    called = readings(hospital).groupby(["arm", "reader", "truth"]).call.mean()
    for arm, rates in zip(("unaided", "aided"), RATES[hospital], strict=True):
        for reader, (sensitivity, specificity) in zip(("R1", "R2", "R3"), rates, strict=True):
            assert called[arm, reader, 1] == pytest.approx(sensitivity, abs=0.035)
            assert 1 - called[arm, reader, 0] == pytest.approx(specificity, abs=0.035)


def test_rates_are_table_4() -> None:
    (r1, *_), _ = RATES["A"]
    assert [round(rate, 3) for rate in r1] == [0.722, 0.927]  # radiologist 1, internal test set


def test_a_patient_hard_for_one_reader_is_hard_for_another() -> None:
    table = readings("A").query("arm == 'unaided' and truth == 1")
    wide = table.pivot(index="case", columns="reader", values="score")
    assert wide.corr(method="spearman").loc["R1", "R2"] == pytest.approx(0.4, abs=0.07)


def test_the_table_of_readers_is_one_that_hepatica_reads(tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    readings("B").to_csv(path, index=False)
    table = read_readers(path, arm="arm", score="score")
    assert table.readers == ("R1", "R2", "R3")
    assert list(table.arms) == ["unaided", "aided"]


@given(hcc=st.lists(st.booleans(), min_size=1, max_size=40), share=st.floats(0.01, 1), seed=st.integers(0, 99))
def test_the_share_holds_with_and_without_hcc(hcc: list[bool], share: float, seed: int) -> None:
    each = np.array(hcc)
    read = outlined(each, share=share, seed=seed, hospital="A")
    for group in (each, ~each):
        assert read[group].sum() == np.ceil(share * group.sum())


@pytest.mark.parametrize(("share", "count"), [(0, 0), (0.4, 4), (1, 10)])
def test_how_many_are_read(share: float, count: int) -> None:
    assert outlined(np.arange(10) < 5, share=share, seed=0, hospital="A").sum() == count


def test_chance_chooses() -> None:
    hcc = np.arange(40) < 20
    first, other, again = (outlined(hcc, share=0.4, seed=seed, hospital="A") for seed in (0, 1, 0))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pathologists_call_as_in_kiani_2020(tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    read_assisted(CASES, HCC, seed=0, hospital="A").to_csv(path, index=False)
    table = read_readers(path, arm="arm", advice="advice")
    assert len(table.readers) == 11
    found = study_readers(table).by_advice
    shares = [each.value for kind in found.values() for each in (kind.before, kind.after)]
    assert shares == pytest.approx([0.924, 0.978, 0.755, 0.568], abs=0.01)
    assert found["right"].readings / (11 * 4000) == pytest.approx(0.842, abs=0.005)
