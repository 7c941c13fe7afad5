"""The AUROC of external tiles, by hand from a run's own files."""

from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from hepatica.cohort import SettingsError, confident_patients, load_cohort
from hepatica.protocol import override
from hepatica.studies import Work, run_study
from hepatica.studies.li_2025_cnn_sasm.choice import STRICT, generalisation


def test_is_the_tile_auroc_of_the_strictly_denoised(studied: Any) -> None:
    other = load_cohort(studied.other)
    found = generalisation(
        Work(cohort=studied.cohort, run=studied.folder, external={"b": studied.other}, settings=studied.settings)
    )
    results = studied.folder / "subsets" / "1_of_2" / "external" / "b"
    fold = pd.read_parquet(results / "patients.parquet")["fold"]
    status = other.patients["recurrence_event"][fold == "external"].astype(float)
    strict = confident_patients(
        status, patients=other.patients, survival=other.endpoint("overall_survival"), ratio=Fraction(STRICT)
    )
    tiles = pd.read_parquet(results / "regions.parquet")
    tiles = tiles[tiles["patient_id"].isin(strict)]
    assert found["1/2"] == pytest.approx(roc_auc_score(tiles["patient_id"].map(status), tiles["score"]))
    assert set(found) == {"1/2", "1"}


def test_the_papers_choice_wants_an_external_cohort(studied: Any, tmp_path: Any) -> None:
    asked = override(studied.settings, {"generalisation": "external"})
    with pytest.raises(SettingsError, match="--external"):
        run_study("li_2025_cnn_sasm", studied.cohort, run=tmp_path / "study", settings=asked)
    assert not (tmp_path / "study").exists()
