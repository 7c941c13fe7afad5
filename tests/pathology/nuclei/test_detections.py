import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat

from hepatica.cohort import MicronsPerPixel, Specimen, TilePixels
from hepatica.cohort.errors import SpecimenError
from hepatica.pathology.nuclei.detections import (
    FINDINGS,
    Detections,
    contact_sheet,
    extremes,
    outlines_of,
    read_detections,
    review,
    write_detections,
)
from hepatica.pathology.nuclei.measures import PROFILE, nuclei_of_tiles, profiles
from hepatica.pathology.nuclei.pictures import drawn_pictures
from hepatica.pathology.nuclei.training import Finder
from hepatica.pathology.phantom.scanner import write_slide
from hepatica.pathology.store import TileStore, prepare
from hepatica.pathology.tiles import Tiling

SQUARE = [[10.0, 20.0], [18.0, 20.0], [18.0, 26.0], [10.0, 26.0]]
LABELS = np.zeros((40, 50), np.int32)
LABELS[20:26, 10:18] = 3
LABELS[30:38, 30:40] = 5


def feature(ring: list, **properties: object) -> dict:
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}, **properties}


def box(outline: np.ndarray) -> list[float]:
    return [*outline.min(axis=0), *outline.max(axis=0)]


def test_qupath_detections_and_cells_are_read(tmp_path: Path) -> None:
    tumour = {"objectType": "detection", "classification": {"name": "Tumor"}}
    cell = feature(
        [[0, 0], [50, 0], [50, 50]], properties={"objectType": "cell", "classification": {"names": ["A", "B"]}}
    )
    cell["nucleusGeometry"] = feature(SQUARE)["geometry"]
    file = tmp_path / "d.geojson"
    for content in ({"type": "FeatureCollection", "features": [feature(SQUARE, properties=tumour), cell]}, [cell]):
        file.write_text(json.dumps(content))
        found = read_detections(file)
        assert box(found.outlines[-1]) == [10, 20, 18, 26]
        assert found.kinds[-1] == "A: B"
        assert found.kinds[0] in ("Tumor", "A: B")
        assert box(found.on(mpp=0.5, origin=(300, 200)).outlines[-1]) == [310, 220, 318, 226]


def test_hovernet_json_is_scaled_by_its_magnification_and_of_the_whole_slide(tmp_path: Path) -> None:
    nucleus = {"bbox": [[20, 10], [26, 18]], "centroid": [14, 23], "contour": SQUARE, "type_prob": 0.9, "type": 2}
    (tmp_path / "h.json").write_text(json.dumps({"mag": 40, "nuc": {"1": nucleus, "2": nucleus | {"type": None}}}))
    found = read_detections(tmp_path / "h.json").on(mpp=0.5, origin=(300, 200))
    assert box(found.outlines[0]) == [5, 10, 9, 13]
    assert list(found.kinds) == ["2", ""]


def test_label_images_and_hovernet_mat_have_the_outlines_of_their_objects(tmp_path: Path) -> None:
    Image.fromarray(LABELS.astype(np.uint16)).save(tmp_path / "a_cp_masks.tif")
    savemat(tmp_path / "h.mat", {"inst_map": LABELS, "inst_type": [[1], [4]]})
    image, mat = read_detections(tmp_path / "a_cp_masks.tif"), read_detections(tmp_path / "h.mat")
    for found in (image, mat):
        assert [box(each) for each in found.outlines] == [[10, 20, 18, 26], [30, 30, 40, 38]]
    assert list(mat.kinds) == ["1", "4"]


def test_stardist_polygons_are_y_first(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", coord=np.array(SQUARE).T[None, ::-1], points=[[23, 14]], prob=[0.8])
    assert box(read_detections(tmp_path / "s.npz").outlines[0]) == [10, 20, 18, 26]


@pytest.mark.parametrize(
    ("name", "words"), [("a_seg.npy", "pickle"), ("a.txt", "wanted one of"), ("a.json", "damaged")]
)
def test_what_cannot_be_read_is_refused_in_words(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"features": [{"geometry": 3}]}')
    with pytest.raises(SpecimenError, match=words):
        read_detections(tmp_path / name)


def test_what_is_written_is_read_and_drawn_as_it_was(tmp_path: Path) -> None:
    outlines = list(outlines_of(LABELS).values())
    write_detections(tmp_path / "w.geojson", outlines, ["lymphocyte", ""], note="research use only")
    content = json.loads((tmp_path / "w.geojson").read_text())
    assert content["features"][0]["properties"]["classification"]["name"] == "lymphocyte"
    ring = content["features"][1]["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    labels, which = read_detections(tmp_path / "w.geojson").within(corner=(0, 0), pixel=1.0, side=50)
    assert ((labels[:40] > 0) == (LABELS > 0)).all()
    assert which.tolist() == [0, 1]


def test_a_window_has_the_nuclei_that_reach_into_it() -> None:
    found = Detections(outlines=[np.array(SQUARE), np.array(SQUARE) + 100], kinds=["", ""])
    labels, which = found.within(corner=(104, 110), pixel=0.5, side=64)
    assert which.tolist() == [1]
    rows, columns = np.nonzero(labels)
    assert (rows.min(), columns.min()) == (20, 12)
    assert (rows.max(), columns.max()) == (31, 27)
    assert found.within(corner=(500, 500), pixel=1.0, side=8)[0].max() == 0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TileStore:
    """Four tiles of 128 pixels of each of two slides: mild and aggressive nuclei."""
    folder = tmp_path_factory.mktemp("store")
    specimens = []
    for number, place in enumerate((1, 4)):
        picture = drawn_pictures(5, seed=2)[place]
        write_slide(folder / f"{number}.tif", picture.image, mpp=0.5, quality=95)
        one = {"patient_id": f"p{number}", "specimen_id": f"s{number}", "path": folder / f"{number}.tif"}
        specimens.append(Specimen(modality="slide", row=number + 2, **one))
    tiling = Tiling(side=TilePixels(128), mpp=MicronsPerPixel(0.5))
    return prepare(specimens, tiling=tiling, folder=folder / "tiles", progress=False)


def test_nuclei_of_tiles_lie_on_their_slide(store: TileStore) -> None:
    found = nuclei_of_tiles(store, Finder())
    assert len(store) == 8
    assert set(found["region"]) <= set(range(8))
    inside = store.index.loc[found["region"].astype(int), ["x", "y"]].to_numpy() * 0.5
    offset = found[["x_um", "y_um"]].to_numpy(float) - inside
    assert ((offset >= 0) & (offset <= 64)).all()
    assert set(found["specimen_id"]) == {"s0", "s1"}
    names = pd.Index(["s0", "s1"])
    table = profiles(found, of="specimen_id", names=names, mm2=pd.Series(4 * 0.064**2, index=names))
    assert table.shape == (2, len(PROFILE))
    assert table["parenchymal_area_um2_mean"].notna().all()


def test_each_patient_gives_the_tile_of_either_end(store: TileStore) -> None:
    regions = store.index.assign(score=[0.1, 0.9, 0.5, 0.4, 0.7, 0.2, 0.3, 0.6])
    chosen = extremes(regions)
    assert chosen[chosen["end"] == "high"]["row"].tolist() == [1, 4]
    assert chosen[chosen["end"] == "low"]["row"].tolist() == [0, 5]
    alone = pd.DataFrame({"patient_id": ["a", "b", "b"], "score": [1.0, 2.0, np.nan]})
    assert set(extremes(alone)["patient_id"]) <= {"b"}


def test_findings_are_counted_and_the_sheet_drawn(store: TileStore, tmp_path: Path) -> None:
    regions = store.index.assign(score=np.linspace(0, 1, 8))
    table = review(store, regions, Finder())
    assert table[[*FINDINGS]].notna().to_numpy().all()
    nuclei = nuclei_of_tiles(store, Finder())
    own = nuclei[nuclei["region"] == table["row"].iloc[0]]
    lymphocytes = (own["kind"] == "lymphocyte").sum() / 0.064**2
    assert table["immune_cells"].iloc[0] == pytest.approx(lymphocytes, rel=0.35)  # classed beside other tiles
    contact_sheet(store, table, path=tmp_path / "sheet.png", note="phantom", meaning="risk")
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
