"""Picture: one file a lesion, the largest first; phases beside each other, planes of solid crops below."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from hepatica.cohort import load_cohort
from hepatica.radiology.lesions.crops import Cropping
from hepatica.radiology.lesions.picture import _finding, draw_lesions
from hepatica.radiology.lesions.store import Reading, Scale, prepare


@pytest.mark.parametrize(("voxels", "planes"), [((1, 16, 16), 1), ((6, 12, 10), 3)])
def test_each_lesion_is_drawn_with_its_planes_and_what_was_seen(cohort_folder, tmp_path, voxels, planes):
    cohort = load_cohort(cohort_folder)
    reading = Reading(phases=("plain", "arterial", "delayed"), cropping=Cropping(voxels=voxels, share=0.7))
    store = prepare(
        cohort.specimens_of("ct"), cohort.lesions, reading=reading, scale=Scale(kind="crop"), folder=tmp_path / "s"
    )
    asked = []

    def saliency(images):
        asked.append(images.shape)
        maps = np.zeros(images.shape[:-1], np.float32)
        maps[..., : images.shape[-2] // 2] = 1.0
        return maps

    regions = store.select(specimen_ids=["S1"]).index.assign(score=[0.2, 0.9])
    files = draw_lesions(
        cohort.specimens[0], material=store, regions=regions, saliency=saliency, stem=tmp_path / "specimen_0002",
        note="phantom", meaning="probability of a category",
    )  # fmt: skip
    assert [each.name for each in files] == ["specimen_0002_lesion_1.png", "specimen_0002_lesion_2.png"]
    assert asked == [(2, *(side for side in voxels if side > 1), 3)]
    sizes = [imread(each).shape for each in files]
    assert sizes[0][0] == pytest.approx((4.2 * planes + 0.9) * 120, abs=2)
    warm = [float(np.ptp(imread(each)[..., :3], axis=-1).max()) for each in files]
    assert min(warm) > 0.5  # the map glows on grey


def test_of_several_classes_the_likeliest_is_named():
    one = pd.Series({"score": 0.4, "diameter_mm": 30.0})
    assert _finding(one, meaning="probability of malignancy") == "probability of malignancy: 0.40"
    classes = {"probability_cyst": 0.2, "probability_hcc": 0.73, "probability_metastasis": 0.07}
    assert _finding(pd.concat([one, pd.Series(classes)]), meaning="malignancy") == "probability of hcc: 0.73"
