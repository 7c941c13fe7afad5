"""Room of features: a model is tied to the encoder its features are of, and its tile scores are drawn on the slide."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from hepatica.cohort import Cohort, CohortError, SettingsError, Survival
from hepatica.cohort.errors import SpecimenError
from hepatica.networks import BagNetwork, Chowder
from hepatica.pathology.features.encoder import encoder_digest
from hepatica.pathology.features.room import (
    FEATURES,
    FeaturePlan,
    complete,
    draw_features,
    encoder_of,
    prepare,
    row_scores,
    width_of,
)

SMALL = {"encoder": "resnet18.tv_in1k", "encoder_shape": {"channels": (4, 4, 8, 8)}, "weights": "random", "side": 64}
PLAN = FeaturePlan(**SMALL, epochs=1, batch=4, learning_rate=0.1, seed=3)


def cohort_of(specimens) -> Cohort:
    patients = pd.DataFrame(index=pd.Index([each.patient_id for each in specimens], name="patient_id"))
    about = {"name": "x", "hospital": "x", "phantom": True, "notes": "", "digest": "", "endpoints": {}}
    return Cohort(**about, patients=patients, specimens=tuple(specimens))


@pytest.fixture
def cohort(slides) -> Cohort:
    paths = [slides.tiff(slides.picture(seed=seed), name=f"{seed}.tif") for seed in (1, 2)]
    return cohort_of([slides.specimen(path, row=row) for row, path in enumerate(paths, start=2)])


def with_features(
    cohort: Cohort, folder: Path, *, rows: int = 2, width: int = 5, of: tuple[int, ...] = (0, 1), **attributes: int
) -> Cohort:
    specimens = list(cohort.specimens)
    for place in of:
        with h5py.File(folder / f"{place}.h5", "w") as file:
            file["features"] = np.zeros((rows, width), np.float32)
            file["coords"] = np.arange(2 * rows).reshape(rows, 2)
            file["coords"].attrs.update(attributes)
        specimens[place] = replace(specimens[place], attachments={"features": folder / f"{place}.h5"})
    return cohort_of(specimens)


def test_training_notes_the_encoder_and_its_width(cohort: Cohort) -> None:
    found = complete(cohort, PLAN)
    assert (found.width, found.made_by) == (8, encoder_digest(encoder_of(PLAN)))
    assert width_of(found) == 8
    assert width_of(replace(PLAN, encoder="uni")) == 1024  # not known yet, but listed


def test_features_brought_are_noted_as_such(cohort: Cohort, tmp_path: Path) -> None:
    found = complete(with_features(cohort, tmp_path), PLAN)
    assert (found.width, found.made_by) == (5, "elsewhere")


def test_features_of_tiles_of_another_size_or_magnification_are_refused(cohort: Cohort, tmp_path: Path) -> None:
    """Of files as TRIDENT writes them; CLAM's do not say."""
    sizes = {"patch_size": 256, "target_magnification": 20}
    settings = complete(with_features(cohort, tmp_path, **sizes), PLAN)
    assert (settings.side, settings.mpp) == (256, 0.5)
    assert complete(with_features(cohort, tmp_path), PLAN).side is None  # not those of the settings, either
    for place, other in enumerate((sizes | {"patch_size": 512}, sizes | {"target_magnification": 10})):
        brought = with_features(with_features(cohort, tmp_path, **sizes), tmp_path, of=(place,), **other)
        found = prepare(brought, settings, tmp_path / "prepared")
        assert "wanted 256 of 0.5" in found.failures["error"].item()
        assert len(found.specimens) == 1
        with pytest.raises(CohortError, match="of 2 kinds"):
            complete(brought, PLAN)
    assert len(prepare(with_features(cohort, tmp_path), settings, tmp_path / "prepared").specimens) == 2


@pytest.mark.parametrize("of", [(0,), (1,)])
def test_some_slides_with_and_some_without_are_refused(cohort: Cohort, tmp_path: Path, of: tuple[int, ...]) -> None:
    with pytest.raises(CohortError, match="features of 1 of 2 slides"):
        complete(with_features(cohort, tmp_path, of=of), PLAN)


def test_features_of_two_widths_are_refused(cohort: Cohort, tmp_path: Path) -> None:
    one = with_features(cohort, tmp_path, width=5, of=(0,))
    with pytest.raises(CohortError, match="of 2 kinds"):
        complete(with_features(one, tmp_path, width=6, of=(1,)), PLAN)


def test_a_damaged_file_does_not_stop_the_others(cohort: Cohort, tmp_path: Path) -> None:
    brought = with_features(cohort, tmp_path)
    first, *_ = (each.attachments["features"] for each in brought.specimens)
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) // 2])
    assert complete(brought, PLAN).made_by == "elsewhere"
    for each in brought.specimens:
        each.attachments["features"].write_bytes(b"")
    with pytest.raises(SpecimenError, match="cannot be read"):
        complete(brought, PLAN)


def test_other_weights_are_not_taken_for_those_of_training(cohort: Cohort, tmp_path: Path) -> None:
    locked = complete(cohort, PLAN)
    with pytest.raises(CohortError, match=r"features of training are of encoder .*give its weights"):
        prepare(cohort, replace(locked, seed=4), tmp_path / "f")
    assert len(prepare(cohort, locked, tmp_path / "f").specimens) == 2


def test_a_side_the_encoder_cannot_read_is_said_so(cohort: Cohort) -> None:
    vit = {"encoder": "kaiko_vits16", "encoder_shape": {"depth": 1, "embed_dim": 24, "num_heads": 2}}
    plan = FeaturePlan(**SMALL | vit | {"side": 40}, epochs=1, batch=4, learning_rate=0.1)
    with pytest.raises(SettingsError, match="does not read tiles of 40 pixels"):
        complete(cohort, plan)


def test_scores_of_tiles_are_drawn_on_the_slide(cohort: Cohort, tmp_path: Path) -> None:
    settings = complete(cohort, PLAN)
    store = prepare(cohort, settings, tmp_path / "features")
    torch.manual_seed(0)
    network = BagNetwork(Chowder(8, top=3, bottom=3))
    found = FEATURES.infer(network, store, settings, Survival("death"))
    specimen = cohort.specimens[0]
    options = {"saliency": lambda _: pytest.fail("asked"), "note": "phantom", "meaning": "risk"}
    own = found.regions[found.regions["specimen_id"] == specimen.specimen_id]
    drawn = draw_features(specimen, material=store, regions=own, stem=tmp_path / "specimen_0002", **options)
    assert [each.name for each in drawn] == [
        f"specimen_0002{end}" for end in ("_heatmap.png", ".geojson", "_tiles.png")
    ]
    assert all(each.stat().st_size > 1000 for each in drawn)
    bare = replace(specimen, path=tmp_path / "features.h5")
    assert draw_features(bare, material=store, regions=own, stem=tmp_path / "b", **options) == []
    scores = row_scores(network, store.read(np.arange(5)))
    np.testing.assert_allclose(scores, found.regions["score"][:5], rtol=1e-5)
