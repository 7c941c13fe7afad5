"""Levels and folds by hand."""

import pandas as pd
import pytest

from hepatica.studies.li_2025_cnn_sasm.choice import at_level, compare, performance


def cells() -> pd.DataFrame:
    """Two folds of two patients; patient d, in fold 2, is the only one that is not denoised."""
    rows = [
        ("a", "a1", 1, 1, True, 0.9), ("a", "a1", 1, 1, True, 0.7), ("a", "a2", 1, 1, True, 0.2),
        ("b", "b1", 1, 0, True, 0.4), ("c", "c1", 2, 1, True, 0.3), ("d", "d1", 2, 0, False, 0.6),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["patient_id", "specimen_id", "fold", "label", "denoised", "score"])
    worse = table.assign(candidate="ResNet18", score=1 - table["score"])
    return pd.concat([table.assign(candidate="CNN-SASM"), worse], ignore_index=True).assign(ratio="1/2")


def test_scores_of_images_and_patients_are_means_of_means() -> None:
    images = at_level(cells(), "image").query("candidate == 'CNN-SASM'").set_index("specimen_id")["score"]
    assert images["a1"] == pytest.approx(0.8)
    patients = at_level(cells(), "patient").query("candidate == 'CNN-SASM'").set_index("patient_id")["score"]
    assert patients["a"] == pytest.approx((0.8 + 0.2) / 2)


def test_auroc_by_level_and_patients() -> None:
    tiles = performance(cells(), level="tile", who="all")["CNN-SASM", "1/2"]
    assert tiles[1] == {"1": pytest.approx(2 / 3), "2": 0.0}
    assert tiles[0].value == pytest.approx(1 / 3)
    assert tiles[0].n == 4
    assert performance(cells(), level="patient", who="all")["CNN-SASM", "1/2"][1] == {"1": 1.0, "2": 0.0}


def test_a_fold_without_both_classes_among_the_denoised_is_left_out() -> None:
    found, folds = performance(cells(), level="tile", who="denoised")["CNN-SASM", "1/2"]
    assert list(folds) == ["1"]
    assert "1 of 2 folds" in found.method


def test_a_candidate_without_any_judgeable_fold_is_absent() -> None:
    only = cells().query("label == 1")
    assert performance(only, level="tile", who="all") == {}


def test_comparison_is_of_the_same_tiles() -> None:
    found = compare(cells(), first="CNN-SASM", ratio="1/2", who="all")
    assert found["ResNet18"].difference.value == pytest.approx((2 / 3 - 1 / 3 + 0 - 1) / 2)
