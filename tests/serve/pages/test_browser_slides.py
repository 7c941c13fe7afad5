"""Browser, slides: a slide is dropped, scored, looked at and read; skin gets no score; the map lies where it should."""

import json
import os
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from hepatica.cohort import Target, write_predictions
from hepatica.cohort.atomic import write_json
from hepatica.cohort.digests import file_digest
from hepatica.cohort.seal import sealing
from hepatica.evaluate import read_readers, study_readers
from hepatica.saliency.heatmap import write_geojson

READY = "[data-ready=slide]"


@pytest.fixture(scope="module")
def slides(trained: Any, serve: Any) -> Any:
    return serve(trained.run, trained.other)


def answered(slides: Any, trained: Any, count: int) -> list[Any]:
    """Cases of phantom slides that have a score."""
    every = sorted((trained.other / "slides").glob("*.tif"))
    cases = [slides.submit(path, run="run") for path in every[:count]]
    slides.finish()
    return cases


def test_a_phantom_slide_is_dropped_and_scored_and_its_map_moves(slides: Any, trained: Any, opened: Any) -> None:
    seen = opened(slides)
    page = seen.go("/")
    assert seen.faults() == []
    page.set_input_files("#files", sorted((trained.other / "slides").glob("*.tif"))[0])
    page.wait_for_selector("html[data-drop=whole]")
    assert page.locator("#list td").nth(2).inner_text() == "slide"
    assert page.input_value("#run") == "run"  # the one model that reads slides
    page.click("#go")
    page.wait_for_url("**/cases/*")
    slides.finish()
    page.wait_for_selector(READY)  # htmx sees that it is done and loads the page anew

    assert re.fullmatch(r"0\.\d{3}", page.locator(".score").first.inner_text().split()[0])
    said = page.locator("main").inner_text()
    for needed in ("Phantom.", "cut-off 0.", "Interval: none", "li_2025_cnn_sasm", "It may not be used for"):
        assert needed in said
    viewer = page.locator(".viewer").first
    every = int(viewer.get_attribute("data-drawn"))
    assert every == trained.settings.tiles_per_specimen
    before = viewer.get_attribute("data-place")
    page.click("[data-do=in]")
    page.wait_for_function("(before) => document.querySelector('.viewer').dataset.place !== before", arg=before)
    page.fill("[data-set=threshold]", "1")
    assert viewer.get_attribute("data-drawn") == "0"
    page.fill("[data-set=threshold]", "0")
    page.fill("[data-set=opacity]", "0.9")
    assert page.locator("[data-set=opacity] + output").inner_text() == "0.90"
    before = viewer.get_attribute("data-place")
    page.locator(".tiles button").first.click()
    page.wait_for_function("(before) => document.querySelector('.viewer').dataset.place !== before", arg=before)
    with page.expect_download() as download:
        page.click("text=Tiles for QuPath")
    assert len(json.loads(Path(download.value.path()).read_text())["features"]) == every
    assert seen.faults() == []


def test_skin_is_not_assessable_and_no_score_is_anywhere(slides: Any, opened: Any) -> None:
    if "HEPATICA_DATA" not in os.environ:
        pytest.skip("HEPATICA_DATA is not set: no real slide here")
    case = slides.submit(Path(os.environ["HEPATICA_DATA"], "pathology", "CMU-1-Small-Region.svs"), run="run")
    slides.finish()
    page = opened(slides).go(f"/cases/{case.case_id}", ready=READY)
    assert page.locator("[data-verdict='not assessable']").count() == 1
    assert "unlike the training specimens" in page.locator("[data-verdict]").inner_text()
    assert page.locator(".score").count() == 0
    assert page.locator(".viewer").get_attribute("data-drawn") == "0"
    assert page.locator("text=Tiles for QuPath").count() == 0


BLUE, SQUARE, SIDE = (20, 60, 230), (384, 640, 256), 1536


@pytest.fixture(scope="module")
def marked(slides: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A case of a white slide with one blue square, whose one scored tile is that square."""
    picture = np.full((SIDE, SIDE, 3), 245, np.uint8)
    left, top, side = SQUARE
    picture[top : top + side, left : left + side] = BLUE
    path = tmp_path_factory.mktemp("marked") / "slide.tif"
    with tifffile.TiffWriter(path) as file:
        for step in (1, 2, 4):
            more = {} if step == 1 else {"subfiletype": 1}
            level = picture[::step, ::step]
            file.write(level, tile=(256, 256), photometric="rgb", resolution=(20000 / step,) * 2,
                       resolutionunit="CENTIMETER", compression="deflate", **more)  # fmt: skip
    case = slides.submit(path, run="run")
    job = slides.bench.jobs.claim("test")
    who = {"patient_id": "file 1", "specimen_id": "file 1"}
    target = Target(endpoint="recurrence", horizon=12)
    row = {"fold": "predicted", "endpoint": target.endpoint, "horizon_months": 12.0, "score": 0.97, "group": None}
    judged = {"applicability": "in_domain", "reason": None}
    rows = [who | row | judged, who | row | judged | {"specimen_id": None, "group": "high"}]
    case.result.mkdir()
    write_json(
        case.result / "made_from.json", {"model": file_digest(slides.bench.settings.runs / "model.json"), "note": ""}
    )
    write_predictions(pd.DataFrame(rows), path=case.result / "predictions.csv")
    with sealing(case.result / "specimens.csv") as temporary:
        pd.DataFrame([{"row": 1, **who, **judged}]).to_csv(temporary, index=False)
    write_geojson(
        case.result / "specimen_0001.geojson", corners=np.array([[left, top]]), scores=np.array([0.97]), extent=side
    )
    assert slides.bench.jobs.finish(job)
    return case


def box(shot: bytes, colour: Any) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels that are nearly of a colour."""
    pixels = np.asarray(Image.open(BytesIO(shot)).convert("RGB"), int)
    rows, columns = np.nonzero(np.abs(pixels - colour).max(axis=-1) < 40)
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


@pytest.mark.parametrize("zooms", [0, 2])
def test_the_map_lies_on_the_tile_to_the_pixel(slides: Any, marked: Any, opened: Any, zooms: int) -> None:
    page = opened(slides).go(f"/cases/{marked.case_id}", ready=READY)
    page.evaluate("document.querySelector('[data-slide]').viewer.navigator.element.style.visibility = 'hidden'")
    for _ in range(zooms):
        page.evaluate("document.querySelector('[data-slide]').viewer.viewport.zoomBy(1.4, null, true)")
    page.wait_for_selector(READY, state="attached")
    viewer = page.locator(".viewer")
    page.uncheck("[data-set=shown]")
    square = box(viewer.screenshot(), BLUE)
    page.check("[data-set=shown]")
    page.fill("[data-set=opacity]", "1")
    shot = viewer.screenshot()
    middle = ((square[0] + square[2]) // 2, (square[1] + square[3]) // 2)
    over = box(shot, Image.open(BytesIO(shot)).convert("RGB").getpixel(middle))
    assert np.abs(np.subtract(over, square)).max() <= 1, (over, square)
    assert square[2] - square[0] > 60  # it is seen at all


def test_a_small_reader_study_in_two_sessions(slides: Any, trained: Any, opened: Any, tmp_path: Path) -> None:
    cases = answered(slides, trained, 4)
    seen = opened(slides)
    page = seen.go("/reading")
    assert seen.faults() == []
    page.fill("[name=name]", "Pilot")
    page.fill("[name=question]", "Does it recur within a year?")
    page.fill("[name=washout_days]", "0")
    for case, truth in zip(cases, "1010", strict=True):
        page.select_option(f"[name=truth_{case.case_id}]", truth)
    page.click("text=Begin the study")
    page.fill("[name=reader]", "R1")
    page.click("text=Read the next case")
    arms = []
    for _ in range(8):
        page.wait_for_selector("html[data-reading=begun]", state="attached")
        arms.append(page.locator("[data-arm]").get_attribute("data-arm"))
        assert page.locator(".score").count() == (3 if arms[-1] == "aided" else 0)
        assert (page.locator(".viewer").get_attribute("data-drawn") != "0") == (arms[-1] == "aided")
        page.check("[name=called][value='1']")
        page.fill("[name=score]", "70")
        page.click("text=Record and go on")
    page.wait_for_selector("[data-reading=done]")
    assert sorted(arms[:4]) == sorted(arms[4:]) == ["aided", "aided", "unaided", "unaided"]
    with page.expect_download() as download:
        page.goto(seen.base + "/reading")
        page.click("text=readers.csv")
    path = tmp_path / "readers.csv"
    download.value.save_as(path)
    read = read_readers(path, arm="arm", score="score", machine="AI", advice="advice")
    assert (read.readers, list(read.arms), len(read.truth)) == (("R1",), ["unaided", "aided"], 4)
    assert study_readers(read).machine is not None
    assert (pd.read_csv(path)["seconds"].dropna() > 0).all()
