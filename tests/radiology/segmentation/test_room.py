"""Room: what lies apart is dropped, masks return to the scan's own grid, cases are measured against outlines."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from ct_balls import PLACE
from torch import nn

from hepatica.cohort import Segmentation
from hepatica.evaluate.by_task import case_metrics
from hepatica.networks.heads import Reading
from hepatica.radiology.masks.mask import outlined
from hepatica.radiology.segmentation.plan import SegmentPlan
from hepatica.radiology.segmentation.results import cases, labels_of
from hepatica.radiology.segmentation.room import Segmenter, infer_segments, marked, prepare, probabilities

TASK = Segmentation("outlines")


class Levels(nn.Module):
    """Liver is what is not air, lesions what is brighter or darker than the 60 HU of the balls' body."""

    def __init__(self) -> None:
        super().__init__()
        self.sure = nn.Parameter(torch.tensor(40.0))

    def forward(self, images):
        value = images[:, images.shape[1] // 2][:, None] * 250 - 100
        body, odd = value > -50, (value - 60).abs() > 20
        logits = torch.cat([~body, body & ~odd, body & odd], dim=1).float() * self.sure
        return Reading(logits, value.mean(dim=(2, 3)))


@pytest.fixture(scope="module")
def found(store, settings):
    return infer_segments(Segmenter(Levels(), settings), store, settings, TASK)


def test_a_network_that_knows_is_right(found, store, outlined_cohort) -> None:
    table = cases(store, found, outlined_cohort)
    assert list(table["patient_id"]) == ["P1", "P1", "P2", "P2"]  # P3 is not outlined
    assert (table["dice"] > 0.99).all()
    own = table[table["class_or_quantity"] == "lesions"]
    assert [np.sum(np.array(each) > 0.9) for each in own["lesion_scores"]] == [2, 1]
    assert not any(len(each) for each in own["false_positives"])
    truth = outlined(outlined_cohort.specimens[0].attachments["mask"], geometry=PLACE)
    np.testing.assert_array_equal(labels_of(found, "S1"), truth)
    ml = np.count_nonzero(truth == 2) * np.prod(PLACE.spacing) / 1000
    rows = found.specimens.query("specimen_id == 'S1' and class_or_quantity == 'lesions'")
    assert rows["score"].item() == pytest.approx(ml)
    assert len(found.lesions) == 2 + 1 + 1


def test_statistics_name_their_class(found, store, outlined_cohort) -> None:
    table = cases(store, found, outlined_cohort)
    rows = case_metrics(table, patients=pd.Index(["P1", "P2"]), fold="external", target=TASK.targets[0])
    known = {row["metric"]: row for row in rows}
    assert known["dice_liver"]["value"] > 0.99
    assert known["lesion_sensitivity_lesions"]["value"] == 1
    assert known["false_positives_lesions"]["value"] == 0
    assert {row["target"] for row in rows} == {"outlines"}


def test_masks_of_coarse_voxels_lie_on_the_scans_own_grid(outlined_cohort, settings, tmp_path) -> None:
    coarse = replace(settings, voxel_mm=(4.0, 3.0, 3.0), voxels=(1, 8, 8))
    store = prepare(outlined_cohort, coarse, tmp_path)
    found = infer_segments(Segmenter(Levels(), coarse), store, coarse, TASK)
    assert labels_of(found, "S1").shape == PLACE.shape
    assert cases(store, found, outlined_cohort)["dice"].min() > 0.75


def test_parts_that_lie_apart_by_hand() -> None:
    """The liver is the larger of two blocks, its hole filled; a lesion beside it and one too small are dropped."""
    shares = np.zeros((2, *PLACE.shape), np.uint8)
    shares[0, 2:12, 5:25, 5:25] = shares[0, 13:15, 30:40, 30:40] = 255
    shares[0, 6, 10, 10] = 0
    shares[1, 4:9, 12:18, 12:18] = 200
    shares[1, 13:15, 30:40, 30:40] = shares[1, 10, 20, 20] = 255
    settings = SegmentPlan(epochs=1, batch=1, learning_rate=1.0, least_mm=4.0)
    labels, lesions = marked(shares, grid=PLACE, own=PLACE, settings=settings)
    assert np.count_nonzero(labels == 2) == 5 * 6 * 6
    assert np.count_nonzero(labels) == 10 * 20 * 20
    ml = 5 * 6 * 6 * np.prod(PLACE.spacing) / 1000
    (row,) = lesions.to_dict("records")
    assert row["score"] == pytest.approx(ml)
    assert row["probability"] == pytest.approx(200 / 255)
    assert row["diameter_mm"] == pytest.approx(2 * (3000 * ml / 4 / np.pi) ** (1 / 3))
    np.testing.assert_allclose([row[f"{axis}_mm"] for axis in "xyz"], (PLACE.lps @ [14.5, 14.5, 6, 1])[:3], atol=0.1)


def test_saliency_is_the_probability_of_the_last_class(store, settings) -> None:
    images = store.read(np.array([7, 8]))
    maps = probabilities(Segmenter(Levels(), settings), images)
    middle = images[..., 1] * 250 - 100
    np.testing.assert_allclose(maps, (middle > -50) & (np.abs(middle - 60) > 20), atol=1e-3)
