"""Advice: counts by hand, an independent clustered variance, and the readings of Kiani 2020."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from hepatica.evaluate.readers.reader_table import read_readers
from hepatica.evaluate.readers.readers import by_advice, study_readers


def test_by_hand() -> None:
    """Two readers, three cases. Right advice (4 readings): 2 right before, 4 with it; wrong (2 readings): 2, then 0."""
    right = np.array([[1, 1, 0], [1, 1, 0]], dtype=bool)
    before = np.array([[1, 0, 1], [1, 0, 1]], dtype=bool)
    found = by_advice(right, before=before, after=right)
    assert {name: each.readings for name, each in found.items()} == {"right": 4, "wrong": 2}
    assert (found["right"].before.value, found["right"].after.value, found["right"].gain.value) == (0.5, 1, 0.5)
    assert np.isnan(found["wrong"].gain.value)  # one case is no sample of cases
    # By hand: each reading is 1/2 from its mean, over 4; a case sums to +-1/4, a reader to 0: variance 2/16, times 2.
    assert found["right"].gain.high == 1
    assert found["right"].before.low == 0


def test_the_variance_is_that_of_statsmodels() -> None:
    """But for the factor of few clusters, which statsmodels sets for each way of clustering by itself."""
    rng = np.random.default_rng(0)
    hard, good = rng.normal(size=30), rng.normal(size=(8, 1))
    before, after, right = (rng.normal(size=(8, 30)) + hard + good > 0 for _ in range(3))
    gain = by_advice(right, before=before, after=after)["right"].gain
    values = (after.astype(float) - before)[right]
    reader, case = (each[right] for each in np.indices(right.shape))

    fitted = OLS(values, np.ones(values.size)).fit()
    both, over_readers, over_cases = cov_cluster_2groups(fitted, reader, case, use_correction=False)
    variance = max(float(each.squeeze()) for each in (both, over_readers, over_cases)) * 8 / 7
    assert gain.high is not None
    assert gain.high - gain.value == pytest.approx(2.364624 * variance**0.5, rel=1e-6)  # t of 7 degrees of freedom


def kiani(folder: Path, *, readers: int) -> Path:
    data = os.environ.get("HEPATICA_DATA")
    name = "kiani_readings.csv" if readers == 11 else "kiani_readings_9.csv"
    if not data or not (path := Path(data) / "readers" / name).is_file():
        pytest.skip("HEPATICA_DATA has no readings of Kiani 2020")
    table = pd.read_csv(path)
    table.assign(advice=table["truth"] ^ table["model_wrong"]).to_csv(folder / name, index=False)
    return folder / name


@pytest.mark.parametrize(
    ("readers", "difference", "p"),
    [(11, (0.01591, -0.01232, 0.04414), 0.2599), (9, (0.02778, 0.00109, 0.05447), 0.0416)],
)
def test_kiani(tmp_path: Path, readers: int, difference: tuple[float, ...], p: float) -> None:
    """Readings of stanfordmlgroup/lca-code at bca8c2f (MIT), re-coded; values of shared/specs/systems.md, A6."""
    table = read_readers(kiani(tmp_path, readers=readers), arm="modality", advice="advice")
    found = study_readers(table)
    assert found.aided is not None
    gain = found.aided.over_readers_and_cases["accuracy"]
    assert (gain.difference.value, gain.difference.low, gain.difference.high) == pytest.approx(difference, abs=5e-6)
    assert gain.p == pytest.approx(p, abs=5e-5)
    if readers == 11:
        right, wrong = found.by_advice["right"], found.by_advice["wrong"]
        assert (right.readings, wrong.readings) == (741, 139)
        shares = [each.value for kind in (right, wrong) for each in (kind.before, kind.after)]
        assert shares == pytest.approx([0.924, 0.978, 0.755, 0.568], abs=5e-4)
        assert right.gain.low is not None
        assert right.gain.low > 0
        assert wrong.gain.high is not None
        assert wrong.gain.high < 0
