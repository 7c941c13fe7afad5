"""The rule of the choice on curves made for it."""

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import EvaluationError
from hepatica.studies.li_2025_cnn_sasm.choice import choose_subset

WRONG = {"1/4": (0, 6), "1/2": (1, 3), "1": (3, 3)}
"""Of 8 pairs of patients in each class: wrongly ordered among the denoised, and among everybody."""


def cells(wrong: dict[str, tuple[int, int]], candidate: str = "CNN-SASM") -> pd.DataFrame:
    """One fold; AUROC of the denoised and of the others are set by how many relapsed patients score lowest."""
    tables = []
    for ratio, counts in wrong.items():
        for denoised, lost in zip((True, False), counts, strict=True):
            score = np.r_[np.full(8, 0.5), np.where(np.arange(8) < lost, 0.1, 0.9)]
            tables.append(
                pd.DataFrame({"label": np.repeat([0, 1], 8), "score": score, "denoised": denoised, "ratio": ratio})
            )
    table = pd.concat(tables, ignore_index=True)
    names = [f"{ratio}-{number}" for number, ratio in enumerate(table["ratio"])]
    return table.assign(candidate=candidate, fold=1, patient_id=names, specimen_id=names)


def test_the_largest_mean_of_both_is_chosen_and_told() -> None:
    found = choose_subset(cells(WRONG))
    # denoised 8/8, 7/8, 5/8; everybody (8+2)/16, (7+5)/16, (5+5)/16
    assert found["subsets"]["1/4"] == {"denoised": 1.0, "general": 0.625, "mean": 0.8125}
    assert found["subsets"]["1/2"] == {"denoised": 0.875, "general": 0.75, "mean": 0.8125}
    assert found["ratio"] == "1/2"  # of equals the larger
    assert "1/2" in found["reason"]
    assert "0.812" in found["reason"]
    assert "next is 1/4" in found["reason"]


def test_other_networks_choose_nothing() -> None:
    better = cells({"1": (0, 0)}, candidate="ResNet18")
    both = pd.concat([cells(WRONG), better], ignore_index=True)
    assert choose_subset(both) == choose_subset(cells(WRONG))


def test_nothing_to_judge_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="no subset could be judged"):
        choose_subset(cells(WRONG).query("label == 0"))


def test_external_patients_choose_only_where_asked_and_that_is_told() -> None:
    found = choose_subset(cells(WRONG), external={"1/4": 0.5, "1/2": 0.5, "1": 0.9})
    assert found["ratio"] == "1"
    assert found["subsets"]["1"] == {"denoised": 0.625, "general": 0.9, "mean": 0.7625}
    assert "the external validation is optimistic" in found["reason"]
