"""Room: scores of studies by the share of views that counts, and which views are learnt."""

import numpy as np
import pandas as pd

from hepatica.radiology.ultrasound.room import labelled_views, pooled
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
