"""Tumour tiles: labels of outlined tiles, unknown in between, and what to do where nobody outlined anything."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hepatica.cohort import CohortError
from hepatica.pathology.store import prepare
from hepatica.pathology.tiles import Tiling
from hepatica.pathology.tumour_tiles import outlined_tumour


@pytest.fixture
def training(slides, tmp_path):
    """Two slides of 640 x 512 pixels; of the first the left 300 pixels are outlined as tumour."""
    ring = [[0, 0], [300, 0], [300, 512], [0, 512], [0, 0]]
    properties = {"classification": {"name": "Tumor"}}
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties}
    (tmp_path / "a.geojson").write_text(json.dumps(feature))
    specimens = [slides.specimen(slides.tiff(slides.picture(seed=row), name=f"{row}.tif"), row=row) for row in (2, 3)]
    specimens[0] = replace(specimens[0], attachments={"annotation": tmp_path / "a.geojson"})
    return SimpleNamespace(
        material=prepare(specimens, tiling=Tiling(side=64), folder=tmp_path / "tiles"),
        cohort=SimpleNamespace(specimens_of=lambda modality: specimens),
        split=SimpleNamespace(train=("p2", "p3")),
    )


def test_tiles_are_tumour_other_or_unknown(training):
    labels = outlined_tumour(training, classes=["Tumor"], mixed=(0.1, 0.9))
    x = training.material.index["x"]
    own = training.material.index["specimen_id"] == "s2"  # 300 pixels end within the tiles from 256 to 320
    assert set(labels[own & (x < 256)]) == {1}
    assert set(labels[own & (x == 256)]) == {-1}
    assert set(labels[own & (x > 256)]) == {0}
    assert set(labels[~own]) == {-1}


def test_without_outlines_of_training_patients_the_sentence_says_what_to_do(training):
    training.split = SimpleNamespace(train=("p3",))
    with pytest.raises(CohortError, match="no slide of a training patient has outlines of Tumor: name their GeoJSON"):
        outlined_tumour(training, classes=["Tumor"], mixed=(0.1, 0.9))


def test_a_class_that_nobody_outlined_is_no_tumour(training):
    with pytest.raises(CohortError, match=r"for the tumour network.*outline Tumour or HCC on slides.*set `tumour`"):
        outlined_tumour(training, classes=["Tumour", "HCC"], mixed=(0.1, 0.9))
    assert np.isfinite(outlined_tumour(training, classes=["Tumor", "HCC"], mixed=(0, 1))).all()
