"""Overlays lie on what QuPath shows of a slide: of a Leica slide that which was scanned; no label is in any picture."""

import json
from dataclasses import replace

import numpy as np
import openslide
import pandas as pd
import pytest
from slide_formats import write_labelled_svs, write_scn

from hepatica.pathology.inspection import inspect
from hepatica.pathology.outlines import tile_share
from hepatica.pathology.picture import draw_map
from hepatica.pathology.slide import open_slide
from hepatica.pathology.store import prepare
from hepatica.pathology.tiles import Tiling

LEFT, TOP = 300, 200


@pytest.fixture
def scanned(slides):
    """512 x 384 pixels with tissue in the middle of the left half, on a slide of 1024 x 1024."""
    pixels = np.full((384, 512, 3), 244, np.uint8)
    pixels[128:256, 64:192] = slides.picture(width=640, height=512)[192:320, 256:384]
    return slides.specimen(write_scn(slides.folder / "a.scn", pixels, left=LEFT, top=TOP))


def squares(path):
    features = json.loads(path.read_text())["features"]
    return np.array([feature["geometry"]["coordinates"][0] for feature in features]).reshape(-1, 5, 2)


def test_an_overlay_counts_from_the_corner_of_what_qupath_shows(scanned, tmp_path):
    tiles = prepare([scanned], tiling=Tiling(side=32), folder=tmp_path / "tiles")
    regions = tiles.index.assign(score=0.5)
    _, objects = draw_map(scanned, regions=regions, stem=tmp_path / "s", note="", meaning="risk")
    found = squares(objects)
    assert (found.min(axis=(0, 1)) >= (64 - 32, 128 - 32)).all()
    assert (found.max(axis=(0, 1)) <= (192 + 32, 256 + 32)).all()
    with open_slide(scanned.path) as slide:
        assert slide.origin == (LEFT, TOP)
        seen = slide.thumbnail(longest=512, box=(*slide.origin, 512, 384))  # what QuPath shows
    inside = [seen[top : top + 32, left : left + 32].mean() for left, top in found[:, 0].astype(int)]
    assert max(inside) < 220


def test_outlines_drawn_in_qupath_are_read_from_that_corner(scanned, tmp_path):
    ring = [[64, 128], [128, 128], [128, 256], [64, 256], [64, 128]]  # the left half of the tissue
    outline = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}
    (tmp_path / "o.geojson").write_text(json.dumps(outline))
    region = replace(scanned, attachments={"region": tmp_path / "o.geojson"})
    corners = prepare([region], tiling=Tiling(side=32), folder=tmp_path / "tiles").index[["x", "y"]]
    assert isinstance(corners, pd.DataFrame)
    assert corners["x"].between(LEFT + 48, LEFT + 112).all()
    assert corners["y"].between(TOP + 112, TOP + 240).all()
    annotated = replace(scanned, attachments={"annotation": tmp_path / "o.geojson"})
    outline["properties"] = {"classification": {"name": "Tumor"}}
    (tmp_path / "o.geojson").write_text(json.dumps(outline))
    tiles = prepare([annotated], tiling=Tiling(side=32), folder=tmp_path / "tiles")
    share = tile_share(tiles, [annotated], classes=["Tumor"])
    inside = np.clip(LEFT + 128 - tiles.index["x"].to_numpy(), 0, 32) - np.clip(LEFT + 64 - tiles.index["x"], 0, 32)
    assert share.max() == 1
    assert (share <= inside / 32 + 0.05).all()


def test_photographs_of_the_label_and_the_glass_leave_no_trace(slides, tmp_path):
    """Names are written on them. Two slides that differ in nothing else give the same files, byte for byte."""
    made = []
    for name, label in (("first", (255, 0, 255)), ("second", (0, 255, 0))):
        path = write_labelled_svs(slides.folder / f"{name}.svs", slides.picture(), label=label)
        with openslide.OpenSlide(path) as opened:
            assert "label" in opened.associated_images
        specimen, out = slides.specimen(path), tmp_path / name
        tiles = prepare([specimen], tiling=Tiling(side=64), folder=out / "tiles")
        draw_map(specimen, regions=tiles.index.assign(score=0.5), stem=out / "s", note="", meaning="risk")
        stored = [each.read_bytes() for each in sorted(out.rglob("*.*")) if each.suffix != ".json"]
        made.append([*stored, inspect(specimen).picture.tobytes()])
    assert len(made[0]) == 4
    assert made[0] == made[1]
