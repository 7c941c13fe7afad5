"""Outlines: QuPath's GeoJSON and Shi's outlines, read, rasterised, counted in tiles; what is wrong named by column."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort.errors import NotAssessableError, SpecimenError
from hepatica.cohort.preparation import overlapping
from hepatica.pathology.outlines import drawn, polygons_of, read_outlines, tile_share, write_outlines
from hepatica.pathology.picture import box_of, look
from hepatica.pathology.slide import open_slide
from hepatica.pathology.store import prepare
from hepatica.pathology.tiles import Tiling
from hepatica.runs.lock import keyed

TILING = Tiling(side=64)


def square(left, top, side):
    return [[left, top], [left + side, top], [left + side, top + side], [left, top + side], [left, top]]


def feature(kind_of_tissue, /, *rings, kind="Polygon", **properties):
    coordinates = list(rings) if kind == "Polygon" else [[ring] for ring in rings]
    classification = {"classification": {"name": kind_of_tissue, "color": [200, 0, 0]}} if kind_of_tissue else {}
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": {"objectType": "annotation"} | classification | properties,
    }


@pytest.fixture
def written(tmp_path):
    def write(*features, name="regions.geojson", shape=lambda found: {"type": "FeatureCollection", "features": found}):
        (tmp_path / name).write_text(json.dumps(shape(list(features))))
        return tmp_path / name

    return write


@pytest.fixture
def specimen(slides, written):
    """A row of specimens.csv: an ellipse of tissue, 427 x 341 pixels, in the middle of 640 x 512."""
    slide = slides.tiff(slides.picture(seed=1))

    def row(*features, row=2, **extra):
        region = written(*features, name=f"{row}.geojson")
        return replace(slides.specimen(slide, row=row), attachments={"region": region}, extra=extra)

    return row


def refusal(specimen, tmp_path):
    with pytest.raises(NotAssessableError) as caught:
        prepare([specimen], tiling=TILING, folder=tmp_path / "tiles")
    return caught.value.failures


LEFT, RIGHT = square(128, 128, 192), square(320, 128, 192)


def test_shapes_that_qupath_exports_are_one_and_the_same(written):
    left = feature("Tumor", LEFT)
    for shape in (lambda each: {"type": "FeatureCollection", "features": each}, list, lambda each: each[0]):
        (outline,) = read_outlines(written(left, name=f"{id(shape)}.geojson", shape=shape))
        assert outline.names == {"Tumor"}
        assert outline.polygons[0][0].tolist() == LEFT


def test_gzipped_outlines_are_read(written, tmp_path):
    zipped = tmp_path / "zipped.geojson.gz"
    zipped.write_bytes(gzip.compress(written(feature("Tumor", LEFT)).read_bytes()))
    assert read_outlines(zipped)[0].names == {"Tumor"}


def test_names_are_class_base_class_and_own_name(written):
    newer = {"classification": {"names": ["Tumor", "Negative"]}}
    found = read_outlines(
        written(
            feature("Tumor: Positive", LEFT),
            feature("", LEFT, **newer),
            feature("", LEFT, name="A-1", objectType="tma_core"),
            feature("", LEFT),
        )
    )
    assert [each.names for each in found] == [
        {"Tumor", "Tumor: Positive"},
        {"Tumor", "Tumor: Negative"},
        {"A-1"},
        set(),
    ]


def test_cells_lines_points_and_missing_cores_are_passed_over(written):
    line = {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[0, 0], [9, 9]]}, "properties": {}}
    missing = feature("", LEFT, name="A-2", objectType="tma_core", isMissing=True)
    assert read_outlines(written(feature("Tumor", LEFT, objectType="cell"), line, missing)) == ()


@pytest.mark.parametrize("text", ["{", "[1]", '[{"geometry": {"type": "Polygon", "coordinates": [[1, 2]]}}]', "3"])
def test_what_is_no_geojson_is_refused(text, tmp_path):
    (tmp_path / "bad.geojson").write_text(text)
    with pytest.raises(SpecimenError, match=r"no GeoJSON of polygons.*export them again"):
        read_outlines(tmp_path / "bad.geojson")


@pytest.mark.parametrize(("kind", "coordinates"), [("Polygon", []), ("MultiPolygon", []), ("MultiPolygon", [[]])])
def test_an_empty_geometry_is_passed_over(kind, coordinates, tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps([{"geometry": {"type": kind, "coordinates": coordinates}}]))
    assert read_outlines(path) == ()


def test_a_corner_too_far_for_any_number_is_refused(tmp_path):
    path = tmp_path / "a.geojson"
    far = 10**400
    path.write_text(json.dumps([{"geometry": {"type": "Polygon", "coordinates": [[[far, 0], [1, 1], [0, far]]]}}]))
    with pytest.raises(SpecimenError, match="no GeoJSON"):
        read_outlines(path)


def test_what_unpacks_to_more_than_fits_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "a.geojson.gz"
    path.write_bytes(gzip.compress(b" " * 10**6))
    monkeypatch.setattr("hepatica.pathology.outlines.LARGEST", 1000)
    with pytest.raises(SpecimenError, match="more than"):
        read_outlines(path)


def test_pixels_whose_centres_are_inside_and_in_no_hole_are_drawn(written):
    ring = [square(0, 0, 40), square(10, 10, 20)]  # 8 x 8 pixels of 10: 16 of them, 4 in the hole
    polygons = polygons_of(read_outlines(written(feature("Tumor", *ring))), ["Tumor"])
    mask = drawn(polygons, (8, 8), size=(80, 80))
    expected = np.zeros((8, 8), bool)
    expected[:4, :4] = True
    expected[1:3, 1:3] = False
    assert np.array_equal(mask, expected)


def test_two_parts_of_a_multipolygon_are_drawn(written):
    polygons = polygons_of(
        read_outlines(written(feature("T", square(0, 0, 10), square(30, 0, 10), kind="MultiPolygon"))), ["T"]
    )
    assert drawn(polygons, (1, 4), size=(40, 10)).tolist() == [[True, False, False, True]]


def test_what_is_written_is_read_again(tmp_path):
    numbers = np.zeros((40, 50), np.uint8)
    numbers[5:30, 5:30], numbers[10:20, 10:20], numbers[32:39, 20:40] = 1, 2, 2
    write_outlines(tmp_path / "x.geojson", numbers, classes=["Tumor", "Stroma"], pixel=8)
    found = read_outlines(tmp_path / "x.geojson")
    for number, name in enumerate(("Tumor", "Stroma"), start=1):
        again = drawn(polygons_of(found, [name]), numbers.shape, size=(400, 320))
        assert (again != (numbers == number)).mean() < 0.01


def test_a_specimen_is_its_region_alone(specimen, tmp_path):
    rows = [specimen(feature("Tumor", LEFT), feature("Normal", RIGHT), row=row, region_class=name)
            for row, name in ((2, "Tumor"), (3, "Normal | Necrosis"), (4, "Tumor | Normal"), (5, ""))]  # fmt: skip
    tiles = prepare(rows, tiling=TILING, folder=tmp_path / "tiles")
    x = tiles.index.groupby("specimen_id")["x"].agg(list)
    assert (max(x["s2"]), min(x["s3"])) == (256, 320)
    assert sorted(x["s4"]) == sorted(x["s5"]) == sorted(x["s2"] + x["s3"])
    shown = dict(zip(tiles.specimens["specimen_id"], keyed(tiles)["content"], strict=True))
    assert overlapping([shown["s2"]], [shown["s3"]]) == set()  # two cores of one slide are two contents
    assert overlapping(shown.values(), [shown["s2"]]) == {shown["s2"], shown["s4"], shown["s5"]}
    assert overlapping([shown["s3"]], [shown["s3"][:32]]) == {shown["s3"]}  # the slide, whole
    area = tiles.specimens.set_index("specimen_id")["tissue_mm2"]
    assert area["s2"] + area["s3"] == pytest.approx(area["s4"], rel=1e-3)


def test_what_is_left_out_is_not_cut(specimen, tmp_path):
    tumour, dead = feature("Tumor", LEFT), feature("Necrosis", square(128, 128, 128))
    rows = [specimen(tumour, dead, row=2, region_without="Necrosis|Ignore*"),
            specimen(dead, row=3, region_without="Necrosis")]  # fmt: skip
    tiles = prepare(rows, tiling=TILING, folder=tmp_path / "tiles").index.groupby("specimen_id")
    assert not ((tiles.get_group("s2")[["x", "y"]] < 256).all(axis=1)).any()
    assert tiles.get_group("s3")["x"].max() > 320  # without outlines of anything else, the rest of the slide


def test_a_moved_outline_is_cut_anew_and_a_renamed_one_is_not(specimen, tmp_path):
    keys = [
        prepare([specimen(feature(name, ring))], tiling=TILING, folder=tmp_path / "tiles").specimens["key"][0]
        for name, ring in (("Tumor", LEFT), ("tumour", LEFT), ("Tumor", RIGHT))
    ]
    assert keys[0] == keys[1] != keys[2]


WRONG = {
    "region_class: no outline has the class or name 'Tumour'; did you mean Tumor?": (LEFT, {"region_class": "Tumour"}),
    "region_without: no outline has the class or name 'Tumour'; did you mean Tumor?": (
        LEFT,
        {"region_without": "Tumour"},
    ),
    "column region: the outlines reach from (0, 0) to (800, 200), beyond the slide of": (square(600, 0, 200), {}),
    "no tissue found in the region": (square(4, 4, 30), {}),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_in_the_ledger_by_row_and_column(message, specimen, tmp_path):
    ring, extra = WRONG[message]
    failures = refusal(specimen(feature("Tumor", ring), row=7, **extra), tmp_path)
    assert failures["row"].tolist() == [7]
    assert message in failures["error"][0]


def test_a_damaged_or_empty_region_is_in_the_ledger(specimen, tmp_path):
    cells = specimen(feature("Tumor", LEFT, objectType="cell"))
    assert refusal(cells, tmp_path)["error"][0].startswith("column region: the file holds no outline of an area")
    given = specimen(feature("Tumor", LEFT))
    given.attachments["region"].write_text("{")
    assert refusal(given, tmp_path)["error"][0].startswith("column region: the outlines are no GeoJSON")


def test_the_share_of_each_tile_in_outlines(specimen, slides, written, tmp_path):
    plain = slides.specimen(slides.tiff(slides.picture(seed=2), name="b.tif"), row=3)
    outlined = replace(specimen(), attachments={"annotation": written(feature("Tumor", square(0, 0, 288)))})
    tiles = prepare([outlined, plain], tiling=TILING, folder=tmp_path / "tiles")
    share = tile_share(tiles, [outlined, plain], classes=["Tumor"])
    own = tiles.index["specimen_id"] == "s2"
    inside = np.clip((288 - tiles.index.loc[own, ["x", "y"]].to_numpy()) / 64, 0, 1)
    np.testing.assert_allclose(share[own], inside.prod(axis=1))
    assert np.isnan(share[~own]).all()
    bare = replace(tiles, specimens=tiles.specimens.drop(columns=["width", "height"]))  # as features from elsewhere
    assert np.array_equal(tile_share(bare, [outlined, plain], classes=["Tumor"]), share, equal_nan=True)
    outlined.attachments["annotation"].write_text("")
    with pytest.raises(SpecimenError, match=r"specimens.csv row 2 column annotation: the outlines are no GeoJSON"):
        tile_share(tiles, [outlined], classes=["Tumor"])


def test_a_picture_of_a_region_shows_it_and_little_else(specimen):
    row = specimen(feature("Tumor", LEFT))
    with open_slide(row.path) as slide:
        assert box_of(slide, row) == (118, 118, 212, 212)
        picture = look(slide, row, longest=1000)
        whole = slide.thumbnail(longest=1000)
    assert picture.shape == (212, 212, 3)
    assert np.array_equal(picture[20:180, 20:180], whole[138:298, 138:298])
    assert picture[:8].min() >= 190


def test_public_outlines_of_tcga_slides_are_read(real):
    """Areas by the shoelace formula, apart from holes, of which these files have none."""
    files = sorted((real / "pathology" / "shi_tcga_lihc").glob("*.json"))
    if not files:
        pytest.skip("no outlines of Shi et al. in HEPATICA_DATA")
    assert len(files) == 29
    names = set()
    for path in files[:3]:
        found = read_outlines(path)
        names |= {name for each in found for name in each.names}
        given = [
            np.array(each["coordinates"][0]) for each in json.loads(path.read_text()) if each["color"] == "#f5a623"
        ]
        areas = [abs(np.linalg.det(np.stack([ring, np.roll(ring, -1, axis=0)], axis=1)).sum()) / 2 for ring in given]
        size = tuple((np.concatenate(given).max(axis=0) // 16 * 16 + 16).tolist())
        largest = max(polygons_of(found, ["Tumor"]), key=lambda rings: np.ptp(rings[0], axis=0).prod())
        mask = drawn([largest], (size[1] // 16, size[0] // 16), size=size)
        assert mask.mean() * size[0] * size[1] == pytest.approx(max(areas), rel=0.02)
    assert names <= {"Tumor", "Peritumoral", "Necrosis", "Stroma", "Immune cells"}
