"""Room: scores of studies by the share of views that counts, and which views are learnt."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from hepatica.radiology.ultrasound import room
from hepatica.radiology.ultrasound.room import labelled_views, level, pooled, shifted
from hepatica.radiology.ultrasound.store import UltrasoundStore

OWNER = np.array(["a", "a", "a", "a", "b", "b"])


def test_the_highest_share_of_views_is_the_score_of_the_last_class() -> None:
    """Half of four views of a: 0.9 and 0.5; half of two of b: 0.4."""
    score = np.array([[0.1], [0.9], [0.5], [0.3], [0.2], [0.4]])
    np.testing.assert_allclose(pooled(score, OWNER, share=0.5), [[0.7], [0.4]])
    np.testing.assert_allclose(pooled(score, OWNER, share=1.0), [[0.45], [0.3]])


def test_other_classes_keep_their_proportions() -> None:
    """Means of a are 0.2, 0.4 and 0.4; the highest half of the last class 0.7, so that 0.3 is shared 1 to 2."""
    last = np.array([0.1, 0.9, 0.5, 0.1])
    score = np.stack([(1 - last) / 3, 2 * (1 - last) / 3, last], axis=1)
    np.testing.assert_allclose(pooled(score, OWNER[:4], share=0.5), [[0.1, 0.2, 0.7]])
    np.testing.assert_allclose(pooled(score, OWNER[:4], share=1.0), score.mean(axis=0)[None])


def store(lesion: list[float]) -> UltrasoundStore:
    index = pd.DataFrame({"patient_id": OWNER, "specimen_id": OWNER, "place": range(6), "lesion": lesion})
    studies = pd.DataFrame({"patient_id": ["a", "b"], "specimen_id": ["a", "b"], "key": ["a", "b"]})
    return UltrasoundStore(folder=None, index=index, specimens=studies, failures=studies[:0])  # type: ignore[arg-type]


def test_of_a_carcinoma_views_within_outlines_are_learnt_of_others_those_without_lesion() -> None:
    outcome = pd.DataFrame({"hcc": [1, 0]}, index=["a", "b"])
    found = labelled_views(store([0.0, 0.4, 0.6, 1.0, 0.0, np.nan]), outcome, lesions=True)
    np.testing.assert_array_equal(found.inputs.rows, [2, 3, 4, 5])  # type: ignore[attr-defined]
    np.testing.assert_array_equal(found.labels, [1, 1, 0, 0])
    assert len(labelled_views(store([np.nan] * 6), outcome, lesions=False)) == 6


def test_carcinomas_without_outlines_are_not_learnt() -> None:
    outcome = pd.DataFrame({"hcc": [1, 0]}, index=["a", "b"])
    np.testing.assert_array_equal(labelled_views(store([np.nan] * 6), outcome, lesions=True).labels, [0, 0])


def test_probabilities_are_shifted_on_the_logarithm_and_sum_to_one() -> None:
    """Twice the odds of 0.4 against 0.6 is 0.8 against 0.6; of one column, those of the second of two."""
    found = shifted(np.array([[0.6, 0.4]]), np.log([1.0, 2.0]))
    np.testing.assert_allclose(found, [[0.6 / 1.4, 0.8 / 1.4]])
    np.testing.assert_allclose(shifted(np.array([[0.4]]), np.log([1.0, 2.0])), found)


@pytest.mark.parametrize("classes", [1, 3])
def test_the_offset_makes_mean_probabilities_the_shares_of_classes(
    monkeypatch: pytest.MonkeyPatch, classes: int
) -> None:
    """Two patients, of class 0 and of the last: half of each, whatever the highest of their views say; of one column,
    those of the second of two.
    """
    last = np.array([0.1, 0.9, 0.5, 0.3, 0.2, 0.95])[:, None]
    score = np.hstack([*[(1 - last) / max(classes - 1, 1)] * (classes - 1), last])
    monkeypatch.setattr(room, "read_scores", lambda *_: (score, None))
    training: Any = SimpleNamespace(
        material=store([0.0] * 6), network=SimpleNamespace(offset=torch.zeros(max(classes, 2))), task=None,
        settings=SimpleNamespace(top_share=0.5),
    )  # fmt: skip
    label = max(classes, 2) - 1
    level(training, pd.Series({"a": 0, "b": label}))
    mean = shifted(pooled(score, OWNER, share=0.5), training.network.offset.numpy()).mean(axis=0)
    assert mean[[0, -1]] == pytest.approx([0.5, 0.5], abs=0.01)
