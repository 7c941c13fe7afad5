from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from hepatica.cohort import RunError
from hepatica.cohort.atomic import read_json
from hepatica.pathology.nuclei.instances import targets
from hepatica.pathology.nuclei.pictures import drawn_pictures, read_pictures, write_pictures
from hepatica.pathology.nuclei.training import Finder, NucleiPlan, amid_other_tissue, crops, open_finder, restained
from hepatica.pathology.nuclei.trial import train_nuclei
from hepatica.protocol import override

PICTURES = drawn_pictures(6, seed=1, side=128)
PLAN = override(NucleiPlan(), {"width": 4, "side": 64, "crops": 24, "batch": 8, "epochs": 4, "test": 0.3})


def test_drawn_pictures_have_the_nuclei_of_their_label_maps() -> None:
    picture = drawn_pictures(1, seed=5)[0]
    assert picture.labels.max() > 20
    assert np.unique(picture.labels).size == picture.labels.max() + 1
    red = picture.image[..., 0].astype(float)
    assert red[picture.labels > 0].mean() < red[picture.labels == 0].mean() - 40


def test_a_number_has_one_crop_and_its_targets_go_with_it() -> None:
    first, labels = crops(PICTURES, np.array([3, 8]), plan=PLAN)
    again, _ = crops(PICTURES, np.array([8]), plan=PLAN)
    assert first.shape == (2, 64, 64, 3)
    assert labels.shape == (2, 2, 64, 64)
    np.testing.assert_array_equal(first[1], again[0])
    still = override(PLAN, {"sizes": (1.0, 1.0), "colours": 0.0})
    image, maps = crops(PICTURES, np.arange(12), plan=still)
    inside = maps[:, 0] > 0
    assert image[inside].mean() < image[~inside].mean() - 30


def test_restaining_keeps_structure_and_changes_colour() -> None:
    image = PICTURES[0].image
    other = restained(image, np.random.default_rng(0), spread=0.15)
    assert np.abs(other.astype(int) - image).mean() > 3
    assert np.corrcoef(other[..., 0].ravel(), image[..., 0].ravel())[0, 1] > 0.9
    np.testing.assert_array_equal(restained(image, np.random.default_rng(0), spread=0.0), image)


def test_other_tissue_lies_around_nuclei_and_leaves_their_edges() -> None:
    image, labels = PICTURES[0].image, PICTURES[0].labels
    near = (ndimage.distance_transform_edt(labels == 0) <= 2) & (labels == 0)
    far, core = ndimage.distance_transform_edt(labels == 0) > 11, labels > 0
    made = [amid_other_tissue(image, labels, np.random.default_rng(n)) for n in range(24)]
    red = [-np.log(np.maximum(each[..., 0], 1) / 255) for each in made]
    apart = [each[core].mean() - each[near].mean() for each in red]
    before = -np.log(np.maximum(image[..., 0], 1) / 255)
    # What is added or taken is the same on both sides of an edge, up to the lightest and the darkest grey.
    np.testing.assert_allclose(apart, before[core].mean() - before[near].mean(), rtol=0.15)
    pink = [(each[..., 0].astype(float) - each[..., 1])[core].mean() for each in (image, *made)]
    assert max(pink) > pink[0] + 10
    assert any((each[far] > 250).mean() > 0.4 and (each[core] > 250).mean() < 0.01 for each in made)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nuclei")
    write_pictures(folder / "pictures", drawn_pictures(6, seed=1, side=128))
    train_nuclei(folder / "pictures", run=folder / "run", plan=PLAN)
    return folder / "run"


def test_pictures_are_written_and_read_as_drawn(run: Path) -> None:
    read = read_pictures(run.parent / "pictures")
    np.testing.assert_array_equal(read[2].image, PICTURES[2].image)
    np.testing.assert_array_equal(targets(read[2].labels), targets(PICTURES[2].labels))


def test_the_comparison_is_of_pictures_that_look_otherwise(run: Path) -> None:
    dealt, cases = pd.read_csv(run / "pictures.csv"), pd.read_csv(run / "cases.csv")
    assert set(cases["picture"]) == set(dealt.loc[dealt["test"], "picture"])
    assert not set(dealt.loc[dealt["test"], "appearance"]) & set(dealt.loc[~dealt["test"], "appearance"])
    found = read_json(run / "metrics.json")
    first, second = (cases[cases["finder"] == name].set_index("picture")["pq"] for name in list(found)[:2])
    assert found["difference"]["pq"]["value"] == pytest.approx((first - second).mean())
    assert found["nuclear U-Net"]["dice"]["value"] == pytest.approx(
        cases.groupby("finder")["dice"].mean()["nuclear U-Net"]
    )
    card = (run / "card.md").read_text()
    assert "AJI" in card
    assert "absent from training" in card
    assert (run / "overlays.png").stat().st_size > 10_000


def test_the_locked_network_is_opened_as_it_was_and_refused_when_changed(run: Path) -> None:
    image = PICTURES[0].image
    first, second = open_finder(run), open_finder(run / "nuclei.safetensors")
    np.testing.assert_array_equal(first.maps(image[None]), second.maps(image[None]))
    assert first.maps(image[None]).shape == (1, 2, 128, 128)
    assert open_finder(None).name == Finder().name
    weights = run / "nuclei.safetensors"
    held = weights.read_bytes()
    weights.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
    with pytest.raises(RunError, match="changed"):
        open_finder(run)
    weights.write_bytes(held)


def test_a_finished_training_is_not_repeated_and_a_strange_folder_is_refused(run: Path, tmp_path: Path) -> None:
    before = (run / "nuclei.safetensors").stat().st_mtime_ns
    train_nuclei(run.parent / "pictures", run=run, plan=PLAN)
    assert (run / "nuclei.safetensors").stat().st_mtime_ns == before
    (tmp_path / "mine.txt").touch()
    with pytest.raises(RunError, match="not empty"):
        train_nuclei(run.parent / "pictures", run=tmp_path, plan=PLAN)
