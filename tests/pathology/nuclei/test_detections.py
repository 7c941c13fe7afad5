import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from hepatica.cohort.errors import SpecimenError
from hepatica.pathology.nuclei.detections import Detections, outlines_of, read_detections, write_detections

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


def test_hovernet_json_is_scaled_by_its_magnification(tmp_path: Path) -> None:
    nucleus = {"bbox": [[20, 10], [26, 18]], "centroid": [14, 23], "contour": SQUARE, "type_prob": 0.9, "type": 2}
    (tmp_path / "h.json").write_text(json.dumps({"mag": 40, "nuc": {"1": nucleus, "2": nucleus | {"type": None}}}))
    found = read_detections(tmp_path / "h.json").on(mpp=0.5)
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
