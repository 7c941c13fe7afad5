from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.evaluate.readers.reader_table import read_readers
from hepatica.radiology.phantom.readers import RATES, read_all

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
