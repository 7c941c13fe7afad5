import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hepatica.cohort.errors import EvaluationError
from hepatica.saliency import THIRDS, Band, geojson, overlay, save_overlay, write_geojson

CORNERS = np.array([[0, 0], [100, 0], [0, 100], [200, 300]])
SCORES = np.array([0.0, 0.5, 1.0, 0.9])
SLIDE = {"extent": 100, "size": (400, 400)}


def thumbnail(side: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_tiles_are_coloured_where_they_lie_and_nothing_else_is() -> None:
    plain = np.full((40, 40, 3), 255, np.uint8)
    painted = overlay(plain, CORNERS, SCORES, opacity=1, colormap="gray", **SLIDE)
    assert (painted[:10, :10] == 0).all()  # score 0 is the dark end
    assert (painted[:10, 10:20] == 128).all()
    assert (painted[10:20, :10] == 255).all()
    expected = np.zeros((40, 40), bool)
    expected[:20, :10] = expected[:10, :20] = expected[30:40, 20:30] = True
    noise = thumbnail()
    changed = (overlay(noise, CORNERS, SCORES, **SLIDE) != noise).any(-1)
    np.testing.assert_array_equal(changed[~expected], False)
    assert changed[expected].all()


def test_slides_need_not_be_square() -> None:
    wide = np.full((10, 40, 3), 255, np.uint8)
    painted = overlay(wide, np.array([[300, 0]]), np.array([0.0]), opacity=1, extent=50, size=(400, 100))
    assert sorted(set(zip(*map(np.ndarray.tolist, np.nonzero((painted != 255).any(-1))), strict=True))) == [
        (y, x) for y in range(5) for x in range(30, 35)
    ]


def test_under_the_tint_tissue_is_grey() -> None:
    pink = np.full((40, 40, 3), (230, 120, 180), np.uint8)
    painted = overlay(pink, CORNERS, SCORES, opacity=0, **SLIDE)
    grey = round(0.2126 * 230 + 0.7152 * 120 + 0.0722 * 180)
    assert (painted[:10, :10] == grey).all()
    assert (painted[-1, -1] == (230, 120, 180)).all()


def test_thumbnail_is_not_written_to() -> None:
    plain = thumbnail()
    before = plain.copy()
    plain.setflags(write=False)
    overlay(plain, CORNERS, SCORES, **SLIDE)
    np.testing.assert_array_equal(plain, before)


@given(st.permutations(range(4)))
@settings(deadline=None, max_examples=10)
def test_the_order_of_tiles_does_not_matter(order) -> None:
    corners = CORNERS // 2  # tiles overlap
    np.testing.assert_array_equal(
        overlay(thumbnail(), corners, SCORES, **SLIDE), overlay(thumbnail(), corners[order], SCORES[order], **SLIDE)
    )


def test_overlapping_tiles_show_their_mean() -> None:
    corners, scores = np.array([[0, 0], [0, 0]]), np.array([0.2, 0.6])
    once = overlay(thumbnail(), corners[:1], np.array([0.4]), **SLIDE)
    np.testing.assert_array_equal(overlay(thumbnail(), corners, scores, **SLIDE), once)


def test_limits_stretch_the_scale_and_hold_what_lies_beyond() -> None:
    stretched = overlay(thumbnail(), CORNERS[:3], np.array([0.4, 0.5, 0.6]), limits=(0.4, 0.6), **SLIDE)
    np.testing.assert_array_equal(stretched, overlay(thumbnail(), CORNERS[:3], SCORES[:3], **SLIDE))
    beyond = overlay(thumbnail(), CORNERS[:3], np.array([0.1, 0.5, 0.9]), limits=(0.4, 0.6), **SLIDE)
    np.testing.assert_array_equal(beyond, stretched)


def test_neighbours_leave_no_seam_and_small_tiles_stay_visible() -> None:
    grid = np.array([(x, y) for y in range(0, 400, 37) for x in range(0, 400, 37)])
    plain = thumbnail(29)
    painted = overlay(plain, grid, np.ones(len(grid)), opacity=1, extent=37, size=(400, 400))
    assert (painted == painted[0, 0]).all()
    speck = overlay(plain, np.array([[200, 200]]), np.array([1.0]), opacity=1, extent=2, size=(4000, 4000))
    assert (speck != plain).any(-1).sum() == 1


@pytest.mark.parametrize("scores", [[0, 0.5, 1, np.nan], [0, 0.5, 1, 1.2], [-0.1, 0.5, 1, 1]])
def test_scores_that_are_no_risk_are_refused(scores) -> None:
    with pytest.raises(EvaluationError, match="outside 0 to 1"):
        overlay(thumbnail(), CORNERS, np.array(scores), **SLIDE)
    with pytest.raises(EvaluationError, match="outside 0 to 1"):
        geojson(CORNERS, np.array(scores), extent=100)


def test_scores_that_do_not_match_the_tiles_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"got corners \(4, 2\) for 3 scores"):
        overlay(thumbnail(), CORNERS, SCORES[:3], **SLIDE)


def test_a_slide_without_scored_tiles_stays_plain() -> None:
    none = np.zeros((0, 2)), np.zeros(0)
    np.testing.assert_array_equal(overlay(thumbnail(), *none, **SLIDE), thumbnail())
    assert geojson(*none, extent=100) == {"type": "FeatureCollection", "features": []}


def test_saved_picture_has_the_slide_and_a_scale_beside_it(tmp_path) -> None:
    picture = {"thumbnail": thumbnail(200), "corners": CORNERS, "scores": SCORES, **SLIDE}
    save_overlay(tmp_path / "heat.png", meaning="risk of recurrence", note="phantom", **picture)
    save_overlay(tmp_path / "bare.png", meaning="risk of recurrence", **picture)
    with Image.open(tmp_path / "heat.png") as heat, Image.open(tmp_path / "bare.png") as bare:
        assert heat.width > 900
        assert heat.tobytes() != bare.tobytes()  # the note is on it
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare.png", "heat.png"]


def test_a_tile_as_qupath_exports_it() -> None:
    # SBU-BMI/wsinfer issue 178 shows QuPath's own export of a tile; the classification is as in TissUUmaps issue 49.
    found = geojson(CORNERS[3:], SCORES[3:], extent=100, meaning="risk of recurrence", note="phantom")
    assert found == {
        "type": "FeatureCollection",
        "note": "phantom",
        "features": [
            {
                "type": "Feature",
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[200, 300], [300, 300], [300, 400], [200, 400], [200, 300]]],
                },
                "properties": {
                    "objectType": "tile",
                    "classification": {"name": "high risk", "color": [215, 48, 39]},
                    "measurements": {"risk of recurrence": 0.9},
                },
            }
        ],
    }


def test_bands_begin_at_their_lower_end() -> None:
    scores = np.array([0, 1 / 3, 0.5, 2 / 3, 1])
    corners = np.zeros((5, 2))
    names = [
        tile["properties"]["classification"]["name"]
        for tile in geojson(corners, scores, extent=1, bands=THIRDS[::-1])["features"]
    ]
    assert names == ["low risk", "intermediate risk", "intermediate risk", "high risk", "high risk"]


def test_tiles_below_the_first_band_are_left_out() -> None:
    hot = geojson(CORNERS, SCORES, extent=100, bands=[Band(name="hot", low=0.9, color=(255, 0, 0))])["features"]
    assert [tile["properties"]["measurements"]["risk score"] for tile in hot] == [1.0, 0.9]


def test_written_geojson_is_what_was_described(tmp_path) -> None:
    file = tmp_path / "tiles.geojson"
    write_geojson(file, corners=CORNERS.astype(np.int32), scores=SCORES.astype(np.float32), extent=100)
    read = json.loads(file.read_text(encoding="utf-8"))
    assert len(read["features"]) == 4
    for tile in read["features"]:
        (ring,) = tile["geometry"]["coordinates"]
        assert ring[0] == ring[-1]
        assert len(ring) == 5


def test_real_slide(tmp_path) -> None:
    if "HEPATICA_DATA" not in os.environ:
        pytest.skip("HEPATICA_DATA is not set: no real slides here")
    openslide = pytest.importorskip("openslide")
    with openslide.OpenSlide(Path(os.environ["HEPATICA_DATA"]) / "pathology" / "CMU-1-Small-Region.svs") as slide:
        plain, size = np.asarray(slide.get_thumbnail((400, 400)).convert("RGB")), slide.dimensions
    corners = np.array([[1120, 1120], [1344, 1344]])
    painted = overlay(plain, corners, np.array([0.1, 0.9]), extent=224, size=size)
    low, high = (painted[y, x].astype(int) for x, y in np.rint((corners + 112) * 300 / 2220).astype(int))
    assert painted.shape == plain.shape
    assert low[2] > low[0]  # blue
    assert high[0] > high[2]  # red
