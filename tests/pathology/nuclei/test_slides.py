import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hepatica.cohort.errors import NotAssessableError
from hepatica.evaluate.segmentation.instances import measure_instances
from hepatica.pathology.nuclei import slides
from hepatica.pathology.nuclei.detections import read_detections
from hepatica.pathology.nuclei.pictures import MARKS, drawn_pictures
from hepatica.pathology.nuclei.slides import edged_nuclei, find_nuclei, write_nuclei
from hepatica.pathology.nuclei.training import Finder
from hepatica.pathology.slide import open_slide

PICTURE = drawn_pictures(1, seed=3, side=300)[0]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom picture with its label map beside it."""
    folder = tmp_path_factory.mktemp("picture")
    Image.fromarray(PICTURE.image).save(folder / "p.png")
    Image.fromarray(PICTURE.labels.astype(np.uint16)).save(folder / f"p{MARKS[0]}.png")
    return folder / "p.png"


def test_windows_give_the_nuclei_of_the_whole_once_each(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_slide(picture, mpp=0.5) as slide:
        whole = find_nuclei(slide, Finder())
        monkeypatch.setattr(slides, "SIDE", 100)
        parted = find_nuclei(slide, Finder())
    assert len(parted.nuclei) == pytest.approx(len(whole.nuclei), rel=0.08)
    assert parted.mm2 == pytest.approx((300 * 0.0005) ** 2, rel=0.05)
    near = np.abs(parted.nuclei[["x", "y"]].to_numpy()[:, None] - whole.nuclei[["x", "y"]].to_numpy()[None]).max(axis=2)
    assert np.median(near.min(axis=1)) < 1


def test_outlines_of_another_program_are_measured_where_they_lie(picture: Path, tmp_path: Path) -> None:
    table = write_nuclei([picture], out=tmp_path, finder=Finder(), mpp=0.5, detections=picture.with_name("p_label.png"))
    nuclei = pd.read_csv(tmp_path / "specimen_0001_nuclei.csv")
    assert table["nuclei"].item() == len(nuclei) == pytest.approx(PICTURE.labels.max(), rel=0.02)
    found = read_detections(tmp_path / "specimen_0001_nuclei.geojson")
    labels, _ = found.within(corner=(0, 0), pixel=1.0, side=300)
    assert measure_instances(PICTURE.labels, predicted=labels)["pq"] > 0.9
    areas = np.bincount(PICTURE.labels.ravel())[1:] * 0.25
    assert nuclei["area_um2"].median() == pytest.approx(np.median(areas), rel=0.03)


def test_tables_pictures_and_detections_are_numbered_and_failures_told(picture: Path, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    Image.fromarray(np.full((300, 300, 3), 250, np.uint8)).save(blank)
    table = write_nuclei([blank, picture], out=tmp_path / "out", finder=Finder(), mpp=0.5, windows=1)
    assert table["row"].tolist() == [1, 2]
    assert "no tissue" in table["error"].iloc[0]
    assert table["median_area_um2"].iloc[1] > 10
    assert sorted(each.name for each in (tmp_path / "out").glob("specimen*")) == [
        "specimen_0002_nuclei.csv",
        "specimen_0002_nuclei.geojson",
        "specimen_0002_nuclei.png",
    ]
    features = json.loads((tmp_path / "out" / "specimen_0002_nuclei.geojson").read_text())["features"]
    assert {each["properties"]["classification"]["name"] for each in features} <= {
        "parenchymal",
        "lymphocyte",
        "stromal",
    }
    with pytest.raises(NotAssessableError, match="no tissue"):
        write_nuclei([blank], out=tmp_path / "none", finder=Finder(), mpp=0.5)


def test_edges_have_the_colour_of_the_class() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[5:12, 5:12] = 1
    drawn = edged_nuclei(np.full((20, 20, 3), 200, np.uint8), labels, kinds=["", "lymphocyte"])
    assert drawn.shape == (40, 40, 3)
    assert drawn[10, 10].tolist() == [160, 90, 160]
    assert drawn[16, 16].tolist() == drawn[2, 2].tolist() == [200, 200, 200]
